"""Rules and their targets as operations of a bus. They take effect at once (AWS: "allow a short period of time")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simbus.sources.base import Source, operation, twin
from simbus.sources.eventbridge.base import DEFAULT, EventBusBase, Passing
from simbus.sources.eventbridge.cron import parse_schedule
from simbus.sources.eventbridge.errors import (
    check_length,
    check_name,
    check_some,
    no_rule,
    over_limit,
    page,
    validation,
)
from simbus.sources.eventbridge.rules import MAX_RULES, MAX_TARGETS, Rule, check_pattern, check_state
from simbus.sources.eventbridge.rules import test_event_pattern as matches_pattern
from simbus.sources.eventbridge.schedule import DETAIL_TYPE, SOURCE, Ticker
from simbus.sources.eventbridge.targets import read_target, target_arn


class Ruling(EventBusBase):
    """PutRule, PutTargets and what belongs to them."""

    @operation
    def put_rule(
        self,
        name: str,
        *,
        event_pattern: str | Mapping[str, Any] | None = None,
        schedule_expression: str | None = None,
        state: str = "ENABLED",
        description: str | None = None,
        role_arn: str | None = None,
    ) -> dict[str, str]:
        """Make a rule, or replace the one of that name, which keeps its targets: `{"RuleArn": ...}`.

        A rule has an event pattern, a schedule (on the default bus only), or both. At most 300 rules a bus. Raises
        AwsError ValidationException, InvalidEventPatternException, LimitExceededException.
        """
        self._check_exists()
        check_name(name, "name", 64)
        check_length(description, "description", 512)
        pattern = check_pattern(event_pattern)
        expression = schedule_expression or None
        if pattern is None and expression is None:
            raise validation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        check_length(expression, "scheduleExpression", 256)
        if expression is not None and self.resource != DEFAULT:
            raise validation("ScheduleExpression is supported only on the default event bus.")
        schedule = None if expression is None else parse_schedule(expression)
        before = self._rules.get(name)
        if before is None and len(self._rules) >= MAX_RULES:
            raise over_limit()
        rule = Rule(
            self._world,
            self._courier,
            name,
            self.resource,
            event_pattern=pattern,
            schedule_expression=expression,
            state=check_state(state),
            description=description,
            role_arn=role_arn,
        )
        if before is not None:
            rule.targets, rule.tags = before.targets, before.tags
            before.end()
        self._rules[name] = rule
        if schedule is not None:
            rule.ticker = Ticker(self._world, schedule, lambda: self._fire(rule))
            rule.switch(rule.state)
        return {"RuleArn": rule.arn}

    aput_rule = twin(put_rule)

    @operation
    def delete_rule(self, name: str, *, force: bool = False) -> None:
        """Delete a rule; one that does not exist is no error. Raises AwsError ValidationException while it has targets.

        `force` is for rules that AWS services manage; there are none here.
        """
        self._check_exists()
        rule = self._rules.get(name)
        if rule is not None and rule.targets:
            raise validation("Rule can't be deleted since it has targets.")
        if rule is not None:
            rule.end()
            del self._rules[name]

    adelete_rule = twin(delete_rule)

    @operation
    def enable_rule(self, name: str) -> None:
        """Switch a rule on. Raises AwsError ResourceNotFoundException."""
        self._rule(name).switch("ENABLED")

    aenable_rule = twin(enable_rule)

    @operation
    def disable_rule(self, name: str) -> None:
        """Switch a rule off: it matches nothing and fires nothing. Raises AwsError ResourceNotFoundException."""
        self._rule(name).switch("DISABLED")

    adisable_rule = twin(disable_rule)

    @operation
    def describe_rule(self, name: str) -> dict[str, Any]:
        """DescribeRule in AWS's JSON. Raises AwsError ResourceNotFoundException."""
        return {**self._rule(name).shown(), "CreatedBy": self._world.account.id}

    adescribe_rule = twin(describe_rule)

    @operation
    def list_rules(
        self, name_prefix: str = "", *, limit: int | None = None, next_token: str | None = None
    ) -> dict[str, Any]:
        """`{"Rules": [...]}` by name, up to 100 or `limit` of them; with `NextToken` where there are more."""
        self._check_exists()
        names = [name for name in sorted(self._rules) if name.startswith(name_prefix)]
        return page("Rules", [self._rules[name].shown() for name in names], limit, next_token)

    alist_rules = twin(list_rules)

    @operation
    def put_targets(self, rule: str, targets: Sequence[Any]) -> dict[str, Any]:
        """Add targets to a rule, or replace those of the same Id: `{"FailedEntryCount": 0, "FailedEntries": []}`.

        A target is AWS's JSON (`Id`, `Arn`, `Input`, `InputPath`, `InputTransformer`, `SqsParameters`,
        `KinesisParameters`, `RetryPolicy`, `DeadLetterConfig`), the same in snake_case, or a resource. An ARN may be
        `service:name`; an `id` that is left out is `target-1`, `target-2` ... by position. At most 5 a rule. Raises
        AwsError ResourceNotFoundException, ValidationException, LimitExceededException.
        """
        check_some(targets, "targets")
        found = self._rule(rule)
        put = {}
        for position, given in enumerate(targets, 1):
            target = read_target(self._world, given, position)
            put[target.id] = target
        together = {**found.targets, **put}
        if len(together) > MAX_TARGETS:
            raise over_limit()
        found.targets = together
        return {"FailedEntryCount": 0, "FailedEntries": []}

    aput_targets = twin(put_targets)

    @property
    def target_arns(self) -> list[str]:
        """Where its rules send events."""
        return [target.arn for rule in self._rules.values() for target in rule.targets.values()]

    @operation
    def remove_targets(self, rule: str, ids: Sequence[str], *, force: bool = False) -> dict[str, Any]:
        """Take targets away by Id; those that are not there are told in `FailedEntries`.

        `force` is for rules that AWS services manage; there are none here. Raises AwsError ResourceNotFoundException.
        """
        check_some(ids, "ids")
        found = self._rule(rule)
        failed = []
        for target_id in ids:
            if found.targets.pop(target_id, None) is None:
                message = f"Rule '{rule}' does not have a target with the Id '{target_id}'."
                failed.append(
                    {"TargetId": target_id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": message}
                )
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    aremove_targets = twin(remove_targets)

    @operation
    def list_targets_by_rule(
        self, rule: str, *, limit: int | None = None, next_token: str | None = None
    ) -> dict[str, Any]:
        """`{"Targets": [...]}` in AWS's JSON, with `NextToken` as `list_rules`. Raises ResourceNotFoundException."""
        return page("Targets", [dict(target.shown) for target in self._rule(rule).targets.values()], limit, next_token)

    alist_targets_by_rule = twin(list_targets_by_rule)

    @operation
    def list_rule_names_by_target(
        self, target: str | Source, *, limit: int | None = None, next_token: str | None = None
    ) -> dict[str, Any]:
        """`{"RuleNames": [...]}`: the rules that have a target of that ARN, with `NextToken` as `list_rules`."""
        self._check_exists()
        arn = target_arn(self._world, target)[2]
        names = (rule.name for rule in self._rules.values() if any(t.arn == arn for t in rule.targets.values()))
        return page("RuleNames", sorted(names), limit, next_token)

    alist_rule_names_by_target = twin(list_rule_names_by_target)

    @operation
    def test_event_pattern(self, event_pattern: str | Mapping[str, Any], event: str | Mapping[str, Any]) -> bool:
        """TestEventPattern: whether an event matches a pattern; fields that the pattern does not name may be missing.

        AWS itself wants id, account, source, time, region, resources and detail-type in every event. Raises AwsError
        InvalidEventPatternException, ValidationException for an event that is no JSON.
        """
        return matches_pattern(event_pattern, event)

    atest_event_pattern = twin(test_event_pattern)

    def rule_tags(self, name: str) -> dict[str, str]:
        """The tags of a rule, to be changed. Raises AwsError ResourceNotFoundException."""
        return self._rule(name).tags

    def _fire(self, rule: Rule) -> None:
        """A rule's schedule is due (recording TestScheduleRate::test_put_rule_with_schedule_*)."""
        event_id = self._uuid()
        text = self._writer.write(event_id, DETAIL_TYPE, SOURCE, self._writer.now(), (rule.arn,), "{}")
        self._receive(event_id, text, DETAIL_TYPE, SOURCE, rule.arn, Passing(to=rule))

    def stop_schedules(self) -> None:
        """No schedule of this bus fires any more (a scenario's `duration` is over)."""
        for rule in self._rules.values():
            rule.end()

    def _rule(self, name: str) -> Rule:
        self._check_exists()
        found = self._rules.get(name)
        if found is None:
            raise no_rule(name, self.resource)
        return found
