"""Topics: make, list and delete them; their attributes, tags and permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simbus.aws.sns.base import api, find_topic, no_resource, paged, topic_of
from simbus.aws.table import Response
from simbus.sources.sns.attributes import TOPIC_ATTRIBUTES, check_topic_attribute, with_tags
from simbus.sources.sns.request import invalid

if TYPE_CHECKING:
    from simbus.resources import Resources
    from simbus.sources.sns.topic import Topic

_BOOLEANS: Final = {"true": True, "false": False}


@api.operation
def create_topic(
    account: Resources,
    *,
    Name: str,
    Attributes: Mapping[str, str] | None = None,
    Tags: Sequence[Mapping[str, str]] | None = None,
) -> Response:
    attributes = dict(Attributes or {})
    fifo = _BOOLEANS.get(attributes.pop("FifoTopic", "false").lower())
    if fifo is None:
        raise invalid("Attributes Reason: FifoTopic: Invalid value. Must be true or false.")
    for name, value in attributes.items():
        check_topic_attribute(name, value, fifo)
    tags = None if Tags is None else with_tags({}, _tags(Tags))
    topic: Topic | None = account.find("sns", Name)
    if topic is not None:
        _check_same(topic, fifo, attributes, tags)
        return {"TopicArn": topic.arn}
    made = account.topic(
        Name, fifo_topic=fifo, **{_FIELDS[name]: _value(name, attributes[name]) for name in attributes}
    )
    if tags:
        made.tag_resource(tags)
    return {"TopicArn": made.arn}


def _field(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


_FIELDS: Final = {name: _field(name) for name in TOPIC_ATTRIBUTES}


def _value(name: str, text: str) -> Any:
    return text == "true" if name == "ContentBasedDeduplication" else text


def _check_same(topic: Topic, fifo: bool, attributes: Mapping[str, str], tags: Mapping[str, str] | None) -> None:
    """What the request names is to be what the topic has. Raises AwsError InvalidParameter."""
    shown = {"SignatureVersion": "1", "FifoThroughputScope": "Topic", **topic.get_topic_attributes()}
    if topic.fifo_topic != fifo:
        raise invalid("Topic Name")
    if any(shown.get(name, "") != value for name, value in attributes.items()):
        raise invalid("Attributes Reason: Topic already exists with different attributes")
    if tags is not None and tags != topic.list_tags_for_resource():
        raise invalid("Tags Reason: Topic already exists with different tags")


@api.operation
def delete_topic(account: Resources, *, TopicArn: str) -> None:
    """A topic that is not there is no error."""
    found = find_topic(account, TopicArn)
    if found is not None:
        found.delete_topic()


@api.operation
def list_topics(account: Resources, *, NextToken: str | None = None) -> Response:
    return paged("Topics", [{"TopicArn": topic.arn} for topic in account.resources("sns")], NextToken)


@api.operation
def get_topic_attributes(account: Resources, *, TopicArn: str) -> Response:
    return {"Attributes": topic_of(account, TopicArn).get_topic_attributes()}


@api.operation
def set_topic_attributes(account: Resources, *, TopicArn: str, AttributeName: str, AttributeValue: str = "") -> None:
    topic_of(account, TopicArn).set_topic_attributes(AttributeName, AttributeValue)


@api.operation
def add_permission(
    account: Resources, *, TopicArn: str, Label: str, AWSAccountId: Sequence[str], ActionName: Sequence[str]
) -> None:
    topic_of(account, TopicArn).add_permission(Label, AWSAccountId, ActionName)


@api.operation
def remove_permission(account: Resources, *, TopicArn: str, Label: str) -> None:
    topic_of(account, TopicArn).remove_permission(Label)


@api.operation
def tag_resource(account: Resources, *, ResourceArn: str, Tags: Sequence[Mapping[str, str]]) -> None:
    _tagged(account, ResourceArn).tag_resource(_tags(Tags))


@api.operation
def untag_resource(account: Resources, *, ResourceArn: str, TagKeys: Sequence[str]) -> None:
    _tagged(account, ResourceArn).untag_resource(TagKeys)


@api.operation
def list_tags_for_resource(account: Resources, *, ResourceArn: str) -> Response:
    tags = _tagged(account, ResourceArn).list_tags_for_resource()
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tagged(account: Resources, arn: str) -> Topic:
    found = find_topic(account, arn, "ResourceArn")
    if found is None:
        raise no_resource()
    return found


def _tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise invalid("Duplicated keys are not allowed.")
    return found
