"""Amazon DynamoDB: a table with its stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simbus.sources.base import operation, twin
from simbus.sources.dynamodb import many as many
from simbus.sources.dynamodb import search as search
from simbus.sources.dynamodb import transact as transact
from simbus.sources.dynamodb.capacity import Consumed, check_return, read_units
from simbus.sources.dynamodb.expressions import Names, Values
from simbus.sources.dynamodb.legacy import Conditions
from simbus.sources.dynamodb.upkeep import KeptTable
from simbus.sources.dynamodb.values import copy_item
from simbus.sources.dynamodb.write import (
    UPDATE_RETURNS,
    check_returns,
    perform,
    prepare_delete,
    prepare_put,
    prepare_update,
)

_OLD_OR_NONE = ("NONE", "ALL_OLD")


class Table(KeptTable):
    """A DynamoDB table. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html

    Items are in DynamoDB's typed form (`{"id": {"S": "1"}}`), binaries as bytes (base64 text is taken as well).
    Answers are those of AWS's API. Every read sees every write before it: AWS promises that for consistent reads only.
    Raises AwsError: ValidationException, ConditionalCheckFailedException ...; ServiceUnavailable in an outage.
    """

    # --- one item ----------------------------------------------------------------------------------------------------

    @operation
    def put_item(
        self,
        item: Mapping[str, Any],
        *,
        condition_expression: str | None = None,
        expression_attribute_names: Names = None,
        expression_attribute_values: Values = None,
        return_values: str = "NONE",
        return_values_on_condition_check_failure: str = "NONE",
        return_consumed_capacity: str = "NONE",
        return_item_collection_metrics: str = "NONE",
        expected: Conditions = None,
        conditional_operator: str | None = None,
    ) -> dict[str, Any]:
        """Store an item of at most 400 KB in the place of the one with its key. `return_values`: NONE or ALL_OLD.

        A failed condition raises ConditionalCheckFailedException (a RefusedWrite, with the item in `details` where
        `return_values_on_condition_check_failure` is ALL_OLD). `return_consumed_capacity`: NONE, TOTAL or INDEXES,
        `return_item_collection_metrics`: NONE or SIZE; `expected` is AWS's legacy form of a condition.
        """
        if return_values != "NONE":
            check_returns(return_values, _OLD_OR_NONE)
        write = prepare_put(
            self,
            item,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure,
            expected,
            conditional_operator,
        )
        return perform(write, return_values, return_consumed_capacity, return_item_collection_metrics)

    aput_item = twin(put_item)

    @operation
    def update_item(
        self,
        key: Mapping[str, Any],
        update_expression: str | None = None,
        *,
        condition_expression: str | None = None,
        expression_attribute_names: Names = None,
        expression_attribute_values: Values = None,
        return_values: str = "NONE",
        return_values_on_condition_check_failure: str = "NONE",
        return_consumed_capacity: str = "NONE",
        return_item_collection_metrics: str = "NONE",
        attribute_updates: Mapping[str, Mapping[str, Any]] | None = None,
        expected: Conditions = None,
        conditional_operator: str | None = None,
    ) -> dict[str, Any]:
        """Change an item, or make it. `return_values`: NONE, ALL_OLD, UPDATED_OLD, ALL_NEW or UPDATED_NEW.

        `attribute_updates` and `expected` are AWS's legacy forms of an update and a condition; the others as in
        `put_item`.
        """
        check_returns(return_values, UPDATE_RETURNS)
        write = prepare_update(
            self,
            key,
            update_expression,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure,
            attribute_updates,
            expected,
            conditional_operator,
        )
        return perform(write, return_values, return_consumed_capacity, return_item_collection_metrics)

    aupdate_item = twin(update_item)

    @operation
    def delete_item(
        self,
        key: Mapping[str, Any],
        *,
        condition_expression: str | None = None,
        expression_attribute_names: Names = None,
        expression_attribute_values: Values = None,
        return_values: str = "NONE",
        return_values_on_condition_check_failure: str = "NONE",
        return_consumed_capacity: str = "NONE",
        return_item_collection_metrics: str = "NONE",
        expected: Conditions = None,
        conditional_operator: str | None = None,
    ) -> dict[str, Any]:
        """Delete an item; one that does not exist is no error. `return_values`: NONE or ALL_OLD; see `put_item`."""
        check_returns(return_values, _OLD_OR_NONE)
        write = prepare_delete(
            self,
            key,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure,
            expected,
            conditional_operator,
        )
        return perform(write, return_values, return_consumed_capacity, return_item_collection_metrics)

    adelete_item = twin(delete_item)

    @operation
    def get_item(
        self,
        key: Mapping[str, Any],
        *,
        consistent_read: bool = False,
        projection_expression: str | None = None,
        expression_attribute_names: Names = None,
        attributes_to_get: Sequence[str] | None = None,
        return_consumed_capacity: str = "NONE",
    ) -> dict[str, Any]:
        """`{"Item": ...}`, or `{}` where there is none. `attributes_to_get`: the legacy form of a projection."""
        found, _ = self.schema.given_key(key)
        projection = many.read_projection_of(projection_expression, expression_attribute_names, attributes_to_get)
        counted = check_return(return_consumed_capacity)
        if self.throughput is not None:
            self.throughput.admit("Read")
        stored = self.stored.get(found)
        answer: dict[str, Any] = {}
        if stored is not None:
            answer["Item"] = copy_item(stored[0]) if projection is None else projection.of(stored[0])
        if not counted and self.throughput is None:
            return answer
        consumed = Consumed(self.resource, self.indexes)
        consumed.table = read_units(0 if stored is None else stored[1], consistent=consistent_read)
        if self.throughput is not None:
            self.throughput.take("Read", consumed)
        if counted:
            answer["ConsumedCapacity"] = consumed.shown(return_consumed_capacity)
        return answer

    aget_item = twin(get_item)

    # --- many items --------------------------------------------------------------------------------------------------

    @operation
    def query(
        self,
        key_condition_expression: str | None = None,
        *,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: str | None = None,
        projection_expression: str | None = None,
        expression_attribute_names: Names = None,
        expression_attribute_values: Values = None,
        limit: int | None = None,
        exclusive_start_key: Mapping[str, Any] | None = None,
        scan_index_forward: bool = True,
        select: str | None = None,
        return_consumed_capacity: str = "NONE",
        key_conditions: Mapping[str, Mapping[str, Any]] | None = None,
        query_filter: Conditions = None,
        conditional_operator: str | None = None,
        attributes_to_get: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """The items of one hash key in the order of their range keys, up to 1 MB or `limit` of them a page.

        Of the table, or of the index `index_name`. `{"Items", "Count", "ScannedCount"}`, with a `LastEvaluatedKey`
        where the page is full. The last four parameters are AWS's legacy forms.
        """
        given = search.Search(
            index_name,
            consistent_read,
            select,
            limit,
            exclusive_start_key,
            filter_expression,
            projection_expression,
            expression_attribute_names,
            expression_attribute_values,
            conditional_operator,
            attributes_to_get,
            return_consumed_capacity,
        )
        return search.query(
            self,
            key_condition_expression,
            given,
            forward=scan_index_forward,
            key_conditions=key_conditions,
            query_filter=query_filter,
        )

    aquery = twin(query)

    @operation
    def scan(
        self,
        *,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: str | None = None,
        projection_expression: str | None = None,
        expression_attribute_names: Names = None,
        expression_attribute_values: Values = None,
        limit: int | None = None,
        exclusive_start_key: Mapping[str, Any] | None = None,
        select: str | None = None,
        segment: int | None = None,
        total_segments: int | None = None,
        return_consumed_capacity: str = "NONE",
        scan_filter: Conditions = None,
        conditional_operator: str | None = None,
        attributes_to_get: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """All items of the table or of an index, in the order of a hash of their hash keys, paged as a query."""
        given = search.Search(
            index_name,
            consistent_read,
            select,
            limit,
            exclusive_start_key,
            filter_expression,
            projection_expression,
            expression_attribute_names,
            expression_attribute_values,
            conditional_operator,
            attributes_to_get,
            return_consumed_capacity,
        )
        return search.scan(self, given, segment=segment, total_segments=total_segments, scan_filter=scan_filter)

    ascan = twin(scan)

    @operation
    def batch_write_item(
        self,
        request_items: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        return_consumed_capacity: str = "NONE",
        return_item_collection_metrics: str = "NONE",
    ) -> dict[str, Any]:
        """Up to 25 of `{"PutRequest": {"Item": ...}}` and `{"DeleteRequest": {"Key": ...}}`.

        A list is for this table; AWS's mapping of table names to lists may be for several ones.
        """
        requests: Any
        requests = request_items if isinstance(request_items, Mapping) else {None: request_items}
        return many.batch_write(self._tables, requests, return_consumed_capacity, return_item_collection_metrics)

    abatch_write_item = twin(batch_write_item)

    @operation
    def batch_get_item(
        self,
        request_items: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
        *,
        return_consumed_capacity: str = "NONE",
    ) -> dict[str, Any]:
        """Up to 100 keys: a list of them for this table, or AWS's `{table name: {"Keys": [...], ...}}`."""
        requests: Any
        requests = request_items if isinstance(request_items, Mapping) else {None: {"Keys": request_items}}
        return many.batch_get(self._tables, requests, return_consumed_capacity)

    abatch_get_item = twin(batch_get_item)

    @operation
    def transact_write_items(
        self,
        transact_items: Sequence[Mapping[str, Mapping[str, Any]]],
        *,
        client_request_token: str | None = None,
        return_consumed_capacity: str = "NONE",
        return_item_collection_metrics: str = "NONE",
    ) -> dict[str, Any]:
        """Up to 100 of `{"Put" | "Update" | "Delete" | "ConditionCheck": AWS's parameters}`: all, or none of them.

        `TableName` may be left out for this table. For 10 minutes a request with the token of an equal one does
        nothing. Raises TransactionCanceledException (a RefusedWrite) with `CancellationReasons` in `details`,
        IdempotentParameterMismatchException.
        """
        return transact.transact_write(
            self._world,
            self._tables,
            transact_items,
            client_request_token,
            return_consumed_capacity,
            return_item_collection_metrics,
        )

    atransact_write_items = twin(transact_write_items)

    @operation
    def transact_get_items(
        self, transact_items: Sequence[Mapping[str, Mapping[str, Any]]], *, return_consumed_capacity: str = "NONE"
    ) -> dict[str, Any]:
        """Up to 100 of `{"Get": {"Key": ...}}`: `{"Responses": [{"Item": ...}]}` in their order."""
        return transact.transact_get(self._tables, transact_items, return_consumed_capacity)

    atransact_get_items = twin(transact_get_items)

    @property
    def _tables(self) -> many.Tables:
        return many.finder(self, self._world.find)
