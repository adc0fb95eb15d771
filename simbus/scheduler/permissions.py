"""The resource-based policy of a function: stored and shown. Nobody is refused for want of a permission here.

Source: recordings of test_add_lambda_permission_* and test_permission_exceptions; botocore's AddPermission.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from simbus.errors import AwsError
from simbus.functions.function import LATEST
from simbus.scheduler.validation import invalid, violated

LONGEST: Final = 20_480  # bytes of a policy
_ACTION: Final = r"(lambda:[*]|lambda:[a-zA-Z]+|[*])"
_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
_PRINCIPAL: Final = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:\S+")


class Permissions:
    """The policies of one function, by qualifier ("": the function itself), each a list of statements."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._policies: dict[str, dict[str, dict[str, Any]]] = {}

    def add(
        self,
        statement_id: str,
        action: str,
        principal: str,
        *,
        qualifier: str | None = None,
        source_arn: str | None = None,
        source_account: str | None = None,
        event_source_token: str | None = None,
        principal_org_id: str | None = None,
    ) -> dict[str, Any]:
        """AddPermission: the statement. Raises AWS's errors."""
        if not re.fullmatch(_ACTION, action):
            rule = f"Member must satisfy regular expression pattern: {_ACTION}"
            raise violated(f"Value '{action}' at 'action'", rule)
        if qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        policy = self._policies.setdefault(qualifier or "", {})
        if statement_id in policy:
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, or "
                "remove the existing statement.",
                409,
                Type="User",
            )
        statement = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": _principal(principal),
            "Action": action,
            "Resource": self._arn + (f":{qualifier}" if qualifier else ""),
        }
        equals = {
            "AWS:SourceAccount": source_account,
            "lambda:EventSourceToken": event_source_token,
            "aws:PrincipalOrgID": principal_org_id,
        }
        condition: dict[str, Any] = {}
        if any(equals.values()):
            condition["StringEquals"] = {name: value for name, value in equals.items() if value}
        if source_arn:
            condition["ArnLike"] = {"AWS:SourceArn": source_arn}
        if condition:
            statement["Condition"] = condition
        policy[statement_id] = statement
        size = len(self.policy(qualifier).encode())
        if size > LONGEST:
            del policy[statement_id]
            message = f"The final policy size ({size}) is bigger than the limit ({LONGEST})."
            raise AwsError("PolicyLengthExceededException", message, Type="User")
        return statement

    def remove(self, statement_id: str, qualifier: str | None = None) -> None:
        """RemovePermission. Raises AWS's errors."""
        policy = self._policies.get(qualifier or "")
        if not policy:
            raise _not_found("No policy is associated with the given resource.")
        if statement_id not in policy:
            raise _not_found(f"Statement {statement_id} is not found in resource policy.")
        del policy[statement_id]

    def policy(self, qualifier: str | None = None) -> str:
        """GetPolicy: the policy as JSON text. Raises ResourceNotFoundException where there is none."""
        statements = self._policies.get(qualifier or "")
        if not statements:
            raise _not_found("The resource you requested does not exist.")
        return compact({"Version": "2012-10-17", "Id": "default", "Statement": list(statements.values())})

    def forget(self, qualifier: str) -> None:
        """A version or an alias is gone."""
        self._policies.pop(qualifier, None)


def compact(value: Any) -> str:
    """JSON text without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    if _SERVICE.fullmatch(given):
        return {"Service": given}
    if re.fullmatch(r"\d{12}", given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    if _PRINCIPAL.fullmatch(given):
        return {"AWS": given}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404, Type="User")
