"""The section and the verbs of a service whose class is all there is: models made from its parameters.

The keyword-only parameters of a class are the keys of its section, the parameters of an operation those of its verb.
What can't stand in a scenario (an annotation that is no plain data) is a mistake in the source: TypeError.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from functools import cache
from inspect import Parameter, cleandoc, signature
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, create_model
from pydantic_core import CoreSchema, core_schema

from simbus.errors import UsageError
from simbus.scenario.schema.base import Check, JsonSchema, Model, name_of, reference
from simbus.scenario.source import shown
from simbus.services import Names, Service

_SCALARS = (str, int, float, bool, Any, type(None))

Leaf = Callable[[Any], Any]
Parameters = Mapping[str, tuple[Any, Any]]
"""Annotation and default (`...`: none) of each."""


class Derived(Model):
    """A model made here. `references`: its fields that name a resource, or are lists of such names."""

    references: ClassVar[tuple[str, ...]] = ()


D = TypeVar("D", bound=Derived)


class Operation(Derived):
    """A verb: the resource under its `word`, and the `parameters` of the operation."""

    word: ClassVar[str] = ""
    parameters: ClassVar[Parameters] = {}

    @property
    def resource(self) -> str:
        """Whose operation it is: `codecommit:site`."""
        return str(getattr(self, self.word))

    def plain(self) -> dict[str, Any]:
        """The parameters that the file gives."""
        return self.model_dump(exclude={self.word}, exclude_unset=True, warnings=False)  # a template is no int

    @classmethod
    def fit(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The arguments that filled templates make. Raises UsageError where one is of another type."""
        try:
            return cls._filled().model_validate(values).model_dump(exclude_unset=True)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in details["loc"])
            raise UsageError(
                f"makes {where} {shown(details['input'])}; {details['msg'][:1].lower()}{details['msg'][1:]}. "
                "Correct the template."
            ) from None

    @classmethod
    @cache
    def _filled(cls) -> type[Derived]:
        """The model of the parameters once templates are values."""
        return _model(Derived, cls.__name__, None, cls.parameters, _text_of_number)


class _Templated:
    """Metadata of a type that is no text: a template may stand there, whose value is checked when it is filled."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            return value if isinstance(value, str) and "{" in value else inner(value)

        return core_schema.no_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": "\\{"}]}


def section(service: Service) -> type[Derived]:
    """The model of one resource in the section of a service."""
    made = service.load()
    parameters = _parameters(made.__init__, lambda each: each.kind is Parameter.KEYWORD_ONLY)
    return _model(Derived, made.__name__, made.__doc__, parameters, lambda kind: kind)


def verbs(service: Service) -> dict[str, type[Operation]]:
    """The models of the operations that a workload can ask of a service."""
    made = service.load()
    return {verb: _verb(service, verb, getattr(made, verb)) for verb in getattr(made, "verbs", ())}


def _verb(service: Service, verb: str, operation: Any) -> type[Operation]:
    title = "".join(word.capitalize() for word in verb.split("_"))
    parameters = _parameters(operation, lambda each: each.name != "self")
    first = cleandoc(operation.__doc__ or title).splitlines()[0]
    doc = f"{first} May hold templates: {{n}}, {{n % 50}}, {{now}}, {{uuid}}, {{rand}}."
    subject = {service.word: (Annotated[str, name_of(service.name)], ...)}
    made = _model(Operation, title, doc, parameters, _may_be_template, subject)
    made.word, made.parameters = service.word, parameters
    made.references = (service.word, *made.references)
    return made


def _may_be_template(kind: Any) -> Any:
    return kind if kind in (str, Any, type(None)) else Annotated[kind, _Templated()]


def _text_of_number(kind: Any) -> Any:
    """A template that is one expression keeps its type; where a text is expected it becomes one."""
    return Annotated[str, Check(_text, {})] if kind is str else kind


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _parameters(call: Any, wanted: Callable[[Parameter], bool]) -> Parameters:
    hints = get_type_hints(call, include_extras=True)
    found = [each for each in signature(call).parameters.values() if wanted(each)]
    return {each.name: (hints[each.name], ... if each.default is Parameter.empty else each.default) for each in found}


def _model(
    base: type[D],
    name: str,
    doc: str | None,
    parameters: Parameters,
    leaf: Leaf,
    first: Mapping[str, Any] | None = None,
) -> type[D]:
    fields: dict[str, Any] = dict(first or {})
    for parameter, (annotation, default) in parameters.items():
        default = [] if default == () else default
        fields[parameter] = (_plain(annotation, leaf), Field(default=default))
    about = cleandoc(doc or "").split("\n\n")[0].replace("\n", " ") or None
    made = create_model(name, __base__=base, __doc__=about, **fields)
    made.references = tuple(name for name, (annotation, _) in parameters.items() if _names(annotation))
    return made


def _plain(annotation: Any, leaf: Leaf) -> Any:
    """An annotation of a source as one that a model understands; `leaf` changes the types of single values."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        services = next((each.services for each in arguments if isinstance(each, Names)), None)
        return _plain(arguments[0], leaf) if services is None else Annotated[str, reference(*services)]
    if origin in (Union, types.UnionType) and len(arguments) == 2 and type(None) in arguments:
        return _plain(next(each for each in arguments if each is not type(None)), leaf) | None
    if _is_struct(annotation):
        return _model(Derived, annotation.__name__, annotation.__doc__, _keys(annotation), leaf)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _plain(arguments[1], leaf)]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Collection):
        return list[_plain(arguments[0], leaf)]  # type: ignore[misc]
    if origin is Literal or annotation in _SCALARS:
        return leaf(annotation)
    raise TypeError(f"{annotation!r} can't stand in a scenario, which holds plain data")


def _keys(struct: Any) -> Parameters:
    """The fields of a msgspec.Struct, with their defaults."""
    found: dict[str, tuple[Any, Any]] = {}
    for field in msgspec.structs.fields(struct):
        made = field.default_factory
        default = field.default if made is msgspec.NODEFAULT else made()
        found[field.name] = (field.type, ... if field.required else default)
    return found


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _names(annotation: Any) -> bool:
    """Whether a parameter names a resource, or is a list of such."""
    if get_origin(annotation) is Annotated:
        return any(isinstance(each, Names) for each in get_args(annotation))
    return any(_names(each) for each in get_args(annotation))
