"""Query and scan: which keys are looked at, page by page, and what of their items is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from simbus.errors import AwsError
from simbus.sources.dynamodb.condition import holds
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.expressions import Condition, Expressions, Names, Projection, Values
from simbus.sources.dynamodb.schema import Key, Schema, partition
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import Item, copy_item

PAGE_LIMIT = 1024 * 1024
SELECTS = ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT")
_RANGE_TESTS = ("=", "<", "<=", ">", ">=", "between", "begins_with")


class Page(NamedTuple):
    """What one page of an answer is made with."""

    limit: int | None
    filter: Condition | None
    projection: Projection | None
    count_only: bool

    def answer(self, table: TableStore, keys: Iterable[Key], wanted: Callable[[Item], bool]) -> dict[str, Any]:
        """Look at the items of the keys until 1 MB of them, or `limit`, have been seen."""
        items: list[Item] = []
        seen = size = 0
        last: Key | None = None
        for key in keys:
            item, weight = table.stored[key]
            if not wanted(item):
                continue
            seen += 1
            size += weight
            if self.filter is None or self.filter.holds(item):
                items.append(item)
            if seen == self.limit or size >= PAGE_LIMIT:
                last = key
                break
        answer: dict[str, Any] = {"Count": len(items), "ScannedCount": seen}
        if not self.count_only:
            of = copy_item if self.projection is None else self.projection.of
            answer = {"Items": [of(item) for item in items], **answer}
        if last is not None:
            answer["LastEvaluatedKey"] = copy_item(table.schema.attributes(table.stored[last][0]))
        return answer


def query(
    table: TableStore,
    key_condition: str,
    *,
    filter_expression: str | None,
    projection_expression: str | None,
    names: Names,
    values: Values,
    limit: int | None,
    start: Mapping[str, Any] | None,
    forward: bool,
    select: str | None,
) -> dict[str, Any]:
    """A Query on the table. Raises AwsError ValidationException."""
    _check(limit, select, projection_expression)
    expressions = Expressions(names, values)
    tree = expressions.tree(key_condition, "KeyConditionExpression")
    assert tree is not None
    first, test = _key_condition(tree, table.schema)
    filter_tree = expressions.tree(filter_expression, "FilterExpression")
    _check_filter(filter_tree, table.schema)
    projection = expressions.projection(projection_expression)
    expressions.finish()
    after = _start(table, start)
    if after is not None and after[0] != first:
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")
    keys = table.order.in_partition(first, forward=forward, after=after)
    page = Page(limit, None if filter_tree is None else Condition(filter_tree), projection, select == "COUNT")
    return page.answer(table, keys, lambda item: test is None or holds(test, item))


def scan(
    table: TableStore,
    *,
    filter_expression: str | None,
    projection_expression: str | None,
    names: Names,
    values: Values,
    limit: int | None,
    start: Mapping[str, Any] | None,
    select: str | None,
    segment: int | None,
    total_segments: int | None,
) -> dict[str, Any]:
    """A Scan of the table, or of one segment of it. Raises AwsError ValidationException."""
    _check(limit, select, projection_expression)
    _check_segment(segment, total_segments)
    condition = projection = None
    if filter_expression is not None or projection_expression is not None or names is not None or values is not None:
        expressions = Expressions(names, values)
        condition = expressions.condition(filter_expression, "FilterExpression")
        projection = expressions.projection(projection_expression)
        expressions.finish()
    keys = table.order.everywhere(_start(table, start))
    if total_segments is not None:
        keys = (key for key in keys if partition(key[0])[0] * total_segments >> 8 == segment)
    return Page(limit, condition, projection, select == "COUNT").answer(table, keys, lambda _item: True)


def _check(limit: int | None, select: str | None, projection: str | None) -> None:
    if limit is not None and limit < 1:
        raise constraint(limit, "limit", "Member must have value greater than or equal to 1")
    if select is None:
        return
    if select not in SELECTS:
        raise constraint(select, "select", f"Member must satisfy enum value set: [{', '.join(SELECTS)}]")
    if select == "ALL_PROJECTED_ATTRIBUTES":
        raise bad_parameter("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise bad_parameter(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if projection is not None and select != "SPECIFIC_ATTRIBUTES":
        what = "only the Count" if select == "COUNT" else "ALL_ATTRIBUTES"
        raise bad_parameter(f"Cannot specify the ProjectionExpression when choosing to get {what}")


def _check_segment(segment: int | None, total: int | None) -> None:
    if total is None and segment is not None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present"
        )
    if total is not None and segment is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present"
        )
    if total is None or segment is None:
        return
    if not 1 <= total <= 256:  # AWS: 1,000,000; here the first byte of a key's hash tells its segment
        raise constraint(total, "totalSegments", "Member must have value between 1 and 256")
    if not 0 <= segment < total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def _start(table: TableStore, start: Mapping[str, Any] | None) -> Key | None:
    if start is None:
        return None
    try:
        return table.schema.given_key(start)[0]
    except AwsError:
        raise invalid("The provided starting key is invalid") from None


def _key_condition(tree: Tree, schema: Schema) -> tuple[Any, Tree | None]:
    """The hash key's content, and the test of the range key."""
    parts = [tree[1], tree[2]] if tree[0] == "and" else [tree]
    by_name: dict[str, Tree] = {}
    for part in parts:
        if part[0] not in _RANGE_TESTS or part[1][0] != "path" or any(each[0] != "value" for each in part[2:]):
            raise invalid("Query key condition not supported")
        by_name[part[1][1][0]] = part
    if len(by_name) < len(parts):
        raise invalid("KeyConditionExpressions must only contain one condition per key")
    hashed = by_name.pop(schema.hash_key, None)
    if hashed is None:
        raise invalid(f"Query condition missed key schema element: {schema.hash_key}")
    ranged = None if schema.range_key is None else by_name.pop(schema.range_key, None)
    if by_name and schema.range_key is not None and ranged is None:
        raise invalid(f"Query condition missed key schema element: {schema.range_key}")
    if by_name or hashed[0] != "=":
        raise invalid("Query key condition not supported")
    for part in (hashed, ranged):
        if part is not None and any(schema.kind(part[1][1][0]) not in operand[1] for operand in part[2:]):
            raise bad_parameter("Condition parameter type does not match schema type")
    return hashed[2][1][schema.hash_kind], ranged


def _check_filter(tree: Tree | None, schema: Schema) -> None:
    """A query's filter can't be about the primary key."""
    if tree is None or tree[0] == "value":
        return
    if tree[0] == "path":
        if tree[1][0] in schema.names:
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {tree[1][0]}"
            )
        return
    for each in (tree[1], *tree[2]) if tree[0] == "in" else tree[1:]:
        _check_filter(each, schema)
