"""What the person chose on the way, as ImportJob.options keeps it. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Options:
    """sheet: the sheet, layer or shapefile to read. constants: {field: text} for all rows.

    words: {field: {text: value}}, what the file's own words mean.

    is_swapped: the two coordinate columns stand exchanged in the whole file. swap_rows: exchange them in the rows
    named "swapped". is_abroad: the places lie outside China; they are kept under the owner's region.
    """

    sheet: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    is_swapped: bool = False
    swap_rows: bool = False
    is_abroad: bool = False
    middle: list[float] = field(default_factory=list)  # longitude, latitude, km within which most of a sample lies

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Options":
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(**known)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
