"""Query and scan, of a table or of an index: what is looked at, page by page, and what of it is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from simbus.sources.dynamodb import legacy
from simbus.sources.dynamodb.capacity import Consumed, check_return, read_units
from simbus.sources.dynamodb.errors import bad_parameter, constraint, invalid
from simbus.sources.dynamodb.expressions import Condition, Expressions, Names, Projection, Values
from simbus.sources.dynamodb.key_condition import key_condition_of, key_parts
from simbus.sources.dynamodb.order import Place, Range
from simbus.sources.dynamodb.schema import Key, Schema
from simbus.sources.dynamodb.store import TableStore
from simbus.sources.dynamodb.syntax import Tree
from simbus.sources.dynamodb.values import Item
from simbus.sources.dynamodb.view import View

PAGE_LIMIT = 1024 * 1024
SEGMENT_LIMIT = 1_000_000
SELECTS = ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT")


class Search(NamedTuple):
    """The parameters that a query and a scan share."""

    index_name: str | None = None
    consistent: bool = False
    select: str | None = None
    limit: int | None = None
    start: Mapping[str, Any] | None = None
    filter_expression: str | None = None
    projection_expression: str | None = None
    names: Names = None
    values: Values = None
    conditional_operator: str | None = None
    attributes_to_get: Sequence[str] | None = None
    returns: str = "NONE"


class Page(NamedTuple):
    """What one page of an answer is made with."""

    view: View
    limit: int | None
    filter: Condition | None
    projection: Projection | None
    count_only: bool
    consistent: bool
    returns: str

    def answer(self, keys: Iterable[Key]) -> dict[str, Any]:
        """Look at the items of the keys until 1 MB of them, or `limit`, have been seen."""
        view, stored = self.view, self.view.table.stored
        limits = view.table.throughput
        if limits is not None:
            limits.admit("Read", None if view.secondary is None else view.secondary.name)
        items: list[Item] = []
        seen = size = fetched = 0
        last: Key | None = None
        for key in keys:
            found = stored[key]
            seen += 1
            size += view.size(found)
            fetched += -(-found[1] // 4096) if view.fetches else 0
            item = view.part(found[0])
            if self.filter is None or self.filter.holds(item):
                items.append(item)
            if seen == self.limit or size >= PAGE_LIMIT:
                last = key
                break
        answer: dict[str, Any] = {"Count": len(items), "ScannedCount": seen}
        if not self.count_only:
            answer = {"Items": [view.shown(item, self.projection) for item in items], **answer}
        if last is not None:
            answer["LastEvaluatedKey"] = view.start_key(stored[last][0])
        if check_return(self.returns) or limits is not None:
            consumed = self._consumed(size, fetched)
            if limits is not None:
                limits.take("Read", consumed)
            if self.returns != "NONE":
                answer["ConsumedCapacity"] = consumed.shown(self.returns)
        return answer

    def _consumed(self, size: int, fetched: int) -> Consumed:
        """An index is read in the index; what it has not, in the table, each item for itself."""
        view = self.view
        consumed = Consumed(view.table.resource, view.table.indexes)
        units = read_units(size, consistent=self.consistent)
        if view.secondary is None:
            consumed.table = units
        else:
            consumed.of_index[view.secondary.name] = units
            consumed.table = fetched * (1.0 if self.consistent else 0.5)
        return consumed


def query(
    table: TableStore,
    key_condition: str | None,
    given: Search,
    *,
    forward: bool,
    key_conditions: Mapping[str, Mapping[str, Any]] | None,
    query_filter: legacy.Conditions,
) -> dict[str, Any]:
    """A Query. Raises AwsError ValidationException."""
    _check_forms(given, {"KeyConditionExpression": key_condition}, query_filter, "QueryFilter", key_conditions)
    _check(given, table)
    view = View.of(table, given.index_name, given.consistent)
    expressions = Expressions(given.names, given.values, "FilterExpression and KeyConditionExpression are null")
    key_tree = expressions.tree(key_condition, "KeyConditionExpression")
    if key_tree is None and key_conditions is None:
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    filter_tree = expressions.tree(given.filter_expression, "FilterExpression")
    expression = filter_tree is not None
    if filter_tree is None:
        filter_tree = legacy.filtered(query_filter, given.conditional_operator)
    page = _page(given, view, expressions, None if filter_tree is None else Condition(filter_tree))
    parts = legacy.key_conditions(key_conditions or {}) if key_tree is None else key_parts(key_tree)
    first, wanted = key_condition_of(parts, view.schema)
    _check_filter(filter_tree, view.schema, "Filter Expression" if expression else "QueryFilter")
    after = None if given.start is None else page.view.start(given.start)
    if after is not None:
        _check_start(after, first, wanted, view.schema)
    return page.answer(page.view.order.in_partition(first, wanted, forward=forward, after=after))


def scan(
    table: TableStore,
    given: Search,
    *,
    segment: int | None,
    total_segments: int | None,
    scan_filter: legacy.Conditions,
) -> dict[str, Any]:
    """A Scan, or one segment of it. Raises AwsError ValidationException."""
    _check_forms(given, {}, scan_filter, "ScanFilter")
    _check(given, table)
    _check_segment(segment, total_segments)
    view = View.of(table, given.index_name, given.consistent)
    expressions = Expressions(given.names, given.values, "FilterExpression is null")
    condition = expressions.condition(given.filter_expression, "FilterExpression")
    if condition is None:
        tree = legacy.filtered(scan_filter, given.conditional_operator)
        condition = None if tree is None else Condition(tree)
    page = _page(given, view, expressions, condition)
    after = None if given.start is None else page.view.start(given.start)
    return page.answer(page.view.order.everywhere(after, segment or 0, total_segments or 1))


def _page(given: Search, view: View, expressions: Expressions, condition: Condition | None) -> Page:
    projection = expressions.projection(given.projection_expression)
    expressions.finish()
    if projection is None:
        projection = legacy.attributes_to_get(given.attributes_to_get)
    view = view.widened(given.select, None if projection is None else projection.heads)
    count_only = given.select == "COUNT"
    return Page(view, given.limit, condition, projection, count_only, given.consistent, given.returns)


# --- what AWS refuses -------------------------------------------------------------------------------------------------


def _check_forms(
    given: Search, more: Mapping[str, Any], filtered: legacy.Conditions, name: str, keys: Any = None
) -> None:
    if all(each is None for each in (filtered, given.conditional_operator, given.attributes_to_get, keys)):
        return
    others = {
        "AttributesToGet": given.attributes_to_get,
        name: filtered,
        "ConditionalOperator": given.conditional_operator,
    }
    if more.get("KeyConditionExpression") is not None:  # KeyConditions alone may stand beside expressions
        others["KeyConditions"] = keys
    expressions = {
        "ProjectionExpression": given.projection_expression,
        "FilterExpression": given.filter_expression,
        **more,
    }
    legacy.check_forms(expressions, others)


def _check(given: Search, table: TableStore) -> None:
    limit, select = given.limit, given.select
    check_return(given.returns)
    if limit is not None and limit < 1:
        raise constraint(limit, "limit", "Member must have value greater than or equal to 1")
    if select is None:
        return
    if select not in SELECTS:
        raise constraint(select, "select", f"Member must satisfy enum value set: [{', '.join(SELECTS)}]")
    if select == "ALL_PROJECTED_ATTRIBUTES" and given.index_name is None:
        raise bad_parameter("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    name = "ProjectionExpression" if given.attributes_to_get is None else "AttributesToGet"
    asked = given.projection_expression is not None or given.attributes_to_get is not None
    if select == "SPECIFIC_ATTRIBUTES" and not asked:
        raise bad_parameter(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if asked and select != "SPECIFIC_ATTRIBUTES":
        what = "only the Count" if select == "COUNT" else select
        raise bad_parameter(f"Cannot specify the {name} when choosing to get {what}")


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
    if not 1 <= total <= SEGMENT_LIMIT:
        bound = f"less than or equal to {SEGMENT_LIMIT}" if total > 1 else "greater than or equal to 1"
        raise constraint(total, "totalSegments", f"Member must have value {bound}")
    if not 0 <= segment < total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def _check_start(after: Place, first: Any, wanted: Range | None, schema: Schema) -> None:
    """An ExclusiveStartKey that this query can't have answered."""
    if wanted is not None and not wanted.has(after.at[1], schema.range_kind):
        raise invalid("The provided starting key does not match the range key predicate")
    if after.at[0] != first:
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")


def _check_filter(tree: Tree | None, schema: Schema, what: str) -> None:
    """A query's filter can't be about the key that is queried."""
    if tree is None or tree[0] == "value":
        return
    if tree[0] == "path":
        if tree[1][0] in schema.names:
            raise invalid(f"{what} can only contain non-primary key attributes: Primary key attribute: {tree[1][0]}")
        return
    for each in (tree[1], *tree[2]) if tree[0] == "in" else tree[1:]:
        _check_filter(each, schema, what)
