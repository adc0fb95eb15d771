"""AWS CodeCommit: a repository's branches and tags, and the triggers that tell functions and topics of their changes.

Sources: Lambda developer guide, "Using AWS Lambda with AWS CodeCommit" (the event; each trigger gets a message of its
own); `CodeCommitReference` of aws-lambda-go (`created`, `deleted`; that a deleted reference shows its last commit is
assumed); API reference, `RepositoryTrigger` and error codes (AWS publishes few of the texts); user guide, "Quotas".
The same changes as events on EventBridge are not played.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from simbus.bus import Bus
from simbus.errors import AwsError
from simbus.model import ChangeEvent
from simbus.services import Names
from simbus.sources.base import operation, settings, twin
from simbus.sources.delivery import Render, Subscribable
from simbus.world import World

MAX_TRIGGERS: Final = 10
_NAME: Final = re.compile(r"(?!.*\.git$)[\w.-]{1,100}", re.ASCII)
_REF: Final = re.compile(r"refs/(heads|tags)/(?![/.]|@$|[0-9a-f]{40}$|.*(\.\.|//|@\{|[ ?^*\[\\~:]|[/.]$)).{1,256}")
_COMMIT: Final = re.compile("[0-9a-f]{40}")


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trigger of a repository. No `branches`: all branches and tags."""

    name: str
    destination_arn: Annotated[Any, Names("lambda", "sns")]
    events: list[Literal["all", "updateReference", "createReference", "deleteReference"]]
    branches: list[str] = []
    custom_data: str | None = None


class Repository(Subscribable):
    """A CodeCommit repository: its references, without the files. Its first branch is the default branch.

    `triggers` as PutRepositoryTriggers takes them. Raises AwsError InvalidRepositoryNameException.
    """

    service = "codecommit"
    targets = ("lambda", "sns")
    verbs = ("push", "delete_branch")

    def __init__(self, world: World, bus: Bus, name: str, *, triggers: Sequence[Trigger] = ()) -> None:
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidRepositoryNameException", "The repository name is not valid.")
        super().__init__(world, bus, name)
        self._commits: dict[str, str] = {}
        if triggers:
            self._put_triggers(settings(triggers, list[Trigger]))

    @operation
    def push(self, ref: str, commit_id: str | None = None) -> str:
        """`git push` of a branch (`main`) or a tag (`refs/tags/v1`); returns the id of its last commit.

        `commit_id` has 40 hexadecimal digits; left out there is a new commit. A reference that is there already, at
        this commit, is no event. Raises AwsError InvalidReferenceNameException, InvalidCommitIdException.
        """
        ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        commit = commit_id or f"{self._rng.getrandbits(160):040x}"
        if not _REF.fullmatch(ref):
            raise AwsError("InvalidReferenceNameException", "The specified reference name is not valid.")
        if not _COMMIT.fullmatch(commit):
            raise AwsError("InvalidCommitIdException", "The specified commit ID is not valid.")
        old = self._commits.get(ref)
        self._commits[ref] = commit
        if old is None:
            self._changed("createReference", {"commit": commit, "created": True, "ref": ref})
        elif old != commit:
            self._changed("updateReference", {"commit": commit, "ref": ref})
        return commit

    apush = twin(push)

    @operation
    def delete_branch(self, branch_name: str) -> dict[str, Any]:
        """Delete a branch, if it is there. Raises AwsError DefaultBranchCannotBeDeletedException."""
        ref = f"refs/heads/{branch_name}"
        if ref == next((ref for ref in self._commits if ref.startswith("refs/heads/")), None):
            raise AwsError("DefaultBranchCannotBeDeletedException", "The specified branch is the default branch.")
        commit = self._commits.pop(ref, None)
        if commit is None:
            return {}
        self._changed("deleteReference", {"commit": commit, "deleted": True, "ref": ref})
        return {"deletedBranch": {"branchName": branch_name, "commitId": commit}}

    adelete_branch = twin(delete_branch)

    @operation
    def put_repository_triggers(self, triggers: Sequence[Trigger]) -> dict[str, str]:
        """Replace all triggers. Raises AwsError MaximumRepositoryTriggersExceededException, Invalid...; UsageError."""
        return {"configurationId": self._put_triggers(settings(triggers, list[Trigger]))}

    aput_repository_triggers = twin(put_repository_triggers)

    def _put_triggers(self, triggers: Sequence[Trigger]) -> str:
        if len(triggers) > MAX_TRIGGERS:
            raise AwsError("MaximumRepositoryTriggersExceededException", f"A repository has up to {MAX_TRIGGERS}.")
        if len({trigger.name for trigger in triggers}) < len(triggers):
            raise AwsError("InvalidRepositoryTriggerNameException", "Two triggers have the same name.")
        for trigger in triggers:
            if not trigger.events or ("all" in trigger.events and len(trigger.events) > 1):
                raise AwsError("InvalidRepositoryTriggerEventsException", "It has events, or all and no other.")
            if len(trigger.custom_data or "") > 1000:
                raise AwsError("InvalidRepositoryTriggerCustomDataException", "It has up to 1000 characters.")
        targets = [self._target(trigger.destination_arn) for trigger in triggers]
        configuration = self._uuid()
        for old in list(self._subscriptions):
            self._unsubscribe(old)
        for trigger, target in zip(triggers, targets, strict=True):
            self._subscribe(target, _render(trigger, configuration))
        return configuration

    def _changed(self, event_type: str, reference: dict[str, Any]) -> None:
        account, event_id = self._world.account, self._uuid()
        record = {
            "awsRegion": account.region,
            "codecommit": {"references": [reference]},
            "eventId": event_id,
            "eventName": "ReferenceChanges",
            "eventPartNumber": 1,
            "eventSource": "aws:codecommit",
            "eventSourceARN": self.arn,
            "eventTime": self._world.iso().replace("Z", "+0000"),
            "eventTotalParts": 1,
            "eventVersion": "1.0",
            "userIdentityARN": f"arn:aws:iam::{account.id}:root",
        }
        self._emit(event_type, reference["ref"], msgspec.json.encode(record).decode(), event_id)


def _render(trigger: Trigger, configuration: str) -> Render:
    """What a trigger sends, with the keys in AWS's order."""
    own = {"eventTriggerConfigId": configuration, "eventTriggerName": trigger.name}
    if trigger.custom_data:
        own["customData"] = trigger.custom_data
    refs = [f"refs/heads/{branch}" for branch in trigger.branches]

    def render(event: ChangeEvent) -> str | None:
        if (trigger.events != ["all"] and event.type not in trigger.events) or (refs and event.subject not in refs):
            return None
        record = {**msgspec.json.decode(event.data), **own}
        return msgspec.json.encode({"Records": [dict(sorted(record.items()))]}).decode()

    return render
