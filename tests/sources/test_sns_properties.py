"""Properties of delivery that hold for random policies, messages and endpoints."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sns_stubs import Stage

KEYS = ["a", "b", "c"]
WORDS = ["", "x", "xy", "y", "1", "12"]

values = st.one_of(
    st.sampled_from(WORDS[1:]),
    st.fixed_dictionaries({"prefix": st.sampled_from(WORDS[1:])}),
    st.fixed_dictionaries({"anything-but": st.sampled_from(WORDS[1:])}),
    st.fixed_dictionaries({"exists": st.booleans()}),
)
policies = st.dictionaries(st.sampled_from(KEYS), st.lists(values, min_size=1, max_size=3), min_size=1)
attributes = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(WORDS[1:]))


def passes(condition: Any, value: str | None) -> bool:
    """One member of a policy's list, by SNS's documentation (subscription-filter-policies.html)."""
    if isinstance(condition, str):
        return value == condition
    ((operator, operand),) = condition.items()
    if operator == "exists":
        return (value is not None) is operand
    if value is None:
        return False
    return value.startswith(operand) if operator == "prefix" else value != operand


@given(policies, st.lists(attributes, max_size=5))
def test_delivered_is_the_predicate(policy: dict[str, list[Any]], messages: list[dict[str, str]]) -> None:
    """A message is delivered exactly when every key of the policy has a value that it passes."""
    stage = Stage()
    box, topic = stage.box("sqs:q"), stage.topic()
    topic.subscribe(box, filter_policy=policy)
    expected = []
    for number, message in enumerate(messages):
        given_attributes = {key: {"DataType": "String", "StringValue": value} for key, value in message.items()}
        topic.publish(str(number), message_attributes=given_attributes)
        if all(any(passes(each, message.get(key)) for each in conditions) for key, conditions in policy.items()):
            expected.append(str(number))
    assert box.texts == expected


endpoints = st.lists(
    st.tuples(st.sampled_from(["ok", "gone", 403, 503]), st.booleans(), st.booleans()), min_size=1, max_size=5
)


@given(endpoints, st.lists(attributes, min_size=1, max_size=4))
def test_every_message_has_exactly_one_end(
    subscriptions: list[tuple[str | int, bool, bool]], messages: list[dict[str, str]]
) -> None:
    """Per subscription a message is delivered, filtered out, a dead letter or dropped: one of them, once."""
    stage = Stage()
    topic, failed = stage.topic(), stage.box("sqs:failed")
    boxes = []
    for number, (state, dead_letters, filtered) in enumerate(subscriptions):
        box = stage.box(f"sqs:q{number}")
        topic.subscribe(
            box,
            filter_policy={"a": ["x"]} if filtered else None,
            redrive_policy={"dead_letter_target_arn": "sqs:failed"} if dead_letters else None,
        )
        boxes.append(box)
        if state == "gone":
            stage.remove(box)
        elif isinstance(state, int):
            box.refuse = state
    for message in messages:
        topic.publish("m", message_attributes={k: {"DataType": "String", "StringValue": v} for k, v in message.items()})
    for box in boxes:
        stage.timeline.at(10**11, lambda _, box=box: setattr(box, "refuse", None))
    stage.timeline.run()

    ends = Counter((row[0], row[2]) for row in stage.rows.deliveries)
    ends += Counter((row[0], row[3]) for row in stage.rows.hops if row[2] == "filtered")
    assert ends == {(row[0], box.name): 1 for row in stage.rows.events for box in boxes}
    outcomes = Counter(row[4] for row in stage.rows.deliveries)
    assert outcomes["ok"] == sum(len(box.deliveries) for box in boxes)
    assert outcomes["dead_letter"] == len(failed.deliveries)
