"""The cases of sns.json: what each compares, and how it is played."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """`messages`: recorded keys with the messages that arrive, in that order. `set_then`: after which of the changes of
    subscription attributes (1 the first) how many inputs are played; without it all inputs follow the whole set-up.
    `attributes`: after which of them the recording of that name was made. `sort`: the recording is in order of body.
    `remove`: this endpoint is deleted before the inputs. `unasked`: no message attributes were asked for."""

    verdict: str = "equal"
    why: str = ""
    messages: tuple[str, ...] = ()
    set_then: dict[int, int] | None = None
    attributes: dict[str, int] | None = None
    sort: bool = False
    remove: str | None = None
    unasked: bool = False


POLICY_ERRORS = "TestSNSFilterPolicyConditions::"
ATTRIBUTES = "TestSNSFilterPolicyAttributes::"
BODY = "TestSNSFilterPolicyBody::"
FUNCTION = "TestSNSSubscriptionLambda::"
QUEUE = "TestSNSSubscriptionSQS::"
FIFO = "TestSNSSubscriptionSQSFifo::"

ERRORS = {
    POLICY_ERRORS + "test_validate_policy": Case(),
    POLICY_ERRORS + "test_validate_policy_string_operators": Case(),
    POLICY_ERRORS + "test_policy_complexity": Case(),
    QUEUE + "test_publish_batch_messages_without_topic": Case(
        why="the topic is deleted instead of never made: an object that does not exist has no operations"
    ),
    QUEUE + "test_publish_batch_exceptions": Case(),
    QUEUE + "test_subscribe_to_sqs_with_queue_url": Case(),
}
DELIVERIES = {
    ATTRIBUTES + "test_filter_policy": Case(
        messages=("messages-1", "messages-4"),
        set_then={1: 2, 2: 1, 3: 1},
        attributes={"subscription-attributes": 1, "subscription-attributes-2": 2},
        why="messages-2 is messages-1 received once more",
    ),
    ATTRIBUTES + "test_exists_filter_policy": Case(
        messages=("messages-1", "messages-3"),
        set_then={1: 2, 2: 2},
        attributes={"subscription-attributes-policy-1": 1, "subscription-attributes-policy-2": 2},
        why="messages-2 and messages-4 are the messages before them received once more",
    ),
    ATTRIBUTES + "test_exists_filter_policy_attributes_array": Case(
        messages=("messages-1", "messages-2"), attributes={"subscription-attributes-policy": 3}, unasked=True
    ),
    BODY + "test_filter_policy_on_message_body[True]": Case(messages=("recv-passed-msg-0", "recv-passed-msg-1")),
    BODY + "test_filter_policy_on_message_body[False]": Case(messages=("recv-passed-msg-0", "recv-passed-msg-1")),
    BODY + "test_filter_policy_on_message_body_dot_attribute": Case(
        messages=(
            *("recv-nested-msg-0", "recv-nested-msg-1"),
            *("recv-deep-nested-msg-0", "recv-deep-nested-msg-1", "recv-deep-nested-msg-2", "recv-deep-nested-msg-3"),
        ),
        set_then={2: 3, 3: 5},
    ),
    BODY + "test_filter_policy_on_message_body_array_of_object_attributes": Case(messages=("messages",)),
    BODY + "test_filter_policy_empty_array_payload": Case(messages=("messages-queue",)),
    BODY + "test_filter_policy_ip_address_condition": Case(messages=("messages-queue",)),
    FUNCTION + "test_redrive_policy_lambda_subscription": Case(
        messages=("messages",), attributes={"subscription-attributes": 1}, remove="lambda:function-1"
    ),
    QUEUE + "test_subscribe_sqs_queue": Case(messages=("messages",), attributes={"subscription-attributes": 1}),
    QUEUE + "test_sqs_topic_subscription_confirmation": Case(attributes={"subscription-attrs": 0}),
    QUEUE + "test_publish_sqs_from_sns": Case(
        messages=("message-raw-true", "message-raw-false"),
        set_then={1: 1, 2: 1},
        attributes={"sub-attrs-raw-true": 1, "sub-attrs-raw-false": 2},
    ),
    QUEUE + "test_publish_batch_messages_from_sns_to_sqs": Case(
        messages=("messages",), attributes={"sub-attrs-raw-true": 1}, sort=True
    ),
    QUEUE + "test_redrive_policy_sqs_queue_subscription[False]": Case(messages=("messages",), remove="sqs:queue-1"),
    QUEUE + "test_message_structure_json_to_sqs": Case(messages=("get-msg-json-sqs", "get-msg-json-default")),
    FIFO + "test_message_to_fifo_sqs[True]": Case(messages=("messages",)),
    FIFO + "test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]": Case(
        messages=("messages",), attributes={"sub-attrs-raw-true": 1}
    ),
    FIFO + "test_publish_to_fifo_topic_to_sqs_queue_no_content_dedup[True]": Case(messages=("messages",)),
    FIFO + "test_publish_to_fifo_topic_to_sqs_queue_no_content_dedup[False]": Case(messages=("messages",)),
    FIFO + "test_publish_to_fifo_topic_deduplication_on_topic_level": Case(messages=("messages",)),
    FIFO + "test_fifo_topic_to_regular_sqs[True]": Case(messages=("messages",)),
}
OWN_TESTS = {
    FUNCTION + "test_sns_topic_as_lambda_dead_letter_queue": Case(why="the function's part is played by the test"),
    FUNCTION + "test_publish_lambda_verify_signature[1]": Case(why="form and length only: AWS's key can't be had"),
    FUNCTION + "test_publish_lambda_verify_signature[2]": Case(why="form and length only: AWS's key can't be had"),
    "TestSNSPublishDelivery::test_delivery_lambda": Case(
        "not applicable", "delivery status logging is not built and refused; the topic's attributes are compared"
    ),
}
CASES = {**ERRORS, **DELIVERIES, **OWN_TESTS}
