"""A value that does not show itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Never

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

SHOWN = "Secret(***)"


class Secret:
    """Text that only `open()` gives out.

    `repr`, `str`, f-strings, `format`, `json.dumps(default=str)`, pickles and pydantic dumps show
    `Secret(***)`. A pickle does not carry the value: what is loaded from it cannot be opened.
    Comparison takes the same time wherever two values differ.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | None) -> None:
        self.__value = value

    def open(self) -> str:
        """The text itself. The one place where it leaves.

        Raises ReconcilerError for a secret that came out of a pickle.
        """
        if self.__value is None:
            raise ReconcilerError(
                "this secret was pickled, and a pickle does not carry it",
                hint="pass the Secret itself, within one process",
            )
        return self.__value

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.open().encode(), other.open().encode())

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _redacted, ()

    def __iter__(self) -> Never:
        raise TypeError("a Secret is not iterable; open() it")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(lambda _: SHOWN)
        )


def _redacted() -> Secret:
    return Secret(None)
