"""Divisions by the names people write: "湖北省/黄冈市", "黄冈", "440106". One query for the whole table, then none."""

import re

from accounts.models import Region

SPLIT = re.compile(r"[/\\,，、;；|>\s·-]+")
ENDINGS = ("市", "区", "县", "省", "自治州", "地区", "盟", "旗", "自治区", "特别行政区", "新区")
WALK = re.compile(r"^(.+?(?:省|自治区|特别行政区))?(.+?(?:自治州|地区|盟|市))?(.+?(?:区|县|旗|市))?$")

WALK_START = re.compile(r"^(.{2,12}?(?:省|自治区))?(.{2,12}?(?:自治州|地区|盟|市))?(.{1,10}?(?:区|县|旗))?")


class RegionNames:
    """Looks names up in the GB/T 2260 tree; loads it on first use."""

    def __init__(self) -> None:
        self._codes: dict[str, list[str]] | None = None
        self._known: dict[str, str | None] = {}

    def code_of(self, words: str) -> str | None:
        """The six-digit code for a name or a path of names; None where it is unknown or could be several."""
        text = str(words).strip()
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def code_at_start(self, words: str) -> str | None:
        """The code of the division that a longer text begins with ("湖北省黄冈市黄州区…", "天河区天河路1号")."""
        match = WALK_START.match(str(words).strip())
        text = "".join(part for part in match.groups() if part) if match else ""
        return self.code_of(text) if text else None

    def _table(self) -> dict[str, list[str]]:
        if self._codes is None:
            self._codes = {}
            for code, zh, en in Region.objects.order_by("code").values_list("code", "name_zh", "name_en"):
                for name in {zh, en.casefold(), code} - {""}:
                    self._codes.setdefault(name, []).append(code)
        return self._codes

    def _find(self, text: str) -> str | None:
        table = self._table()
        if text in table:
            return table[text][0] if len(table[text]) == 1 else None
        parts = [part for part in SPLIT.split(text) if part]
        if len(parts) == 1 and (match := WALK.match(text)):
            parts = [part for part in match.groups() if part]
        found = ""
        for part in parts:
            codes = [code for code in self._named(part) if code.startswith(prefix_of(found))]
            if len(codes) != 1:
                return None if not found or codes else found
            found = codes[0]
        return found or None

    def _named(self, part: str) -> list[str]:
        table = self._table()
        for name in (part, part.casefold(), *(part + ending for ending in ENDINGS)):
            if name in table:
                return table[name]
        return []


def prefix_of(code: str) -> str:
    """What the codes below this one begin with ("" for the nation)."""
    if not code or code == "100000":
        return ""
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
