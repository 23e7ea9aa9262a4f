"""Rows for the import bench: made-up towers on real ground, from a seed. Pure."""

import csv
import random
from pathlib import Path

COLUMNS = (
    "资源编码", "资源名称", "行政区划", "地址", "经度", "纬度", "铁塔类型", "结构", "塔高(米)", "平台挂高",
    "天线位总数", "已用天线位", "单价", "市电电压", "剩余容量(kVA)", "光缆到站", "生命周期", "数据日期",
)  # fmt: skip
TYPES = (("通信铁塔", 35), ("路灯杆", 10), ("输电杆塔", 45), ("智慧杆", 12), ("电杆", 12))
BAD_SHARE = 0.02
# Boxes well inside prefectures of Guangdong: code, name, west, south, east, north.
BOXES = (
    ("440100", "广州市", 113.32, 23.00, 113.42, 23.20), ("440100", "广州市", 113.50, 23.20, 113.70, 23.40),
    ("440600", "佛山市", 113.05, 22.85, 113.15, 23.00), ("441900", "东莞市", 113.75, 22.90, 113.90, 23.00),
    ("441300", "惠州市", 114.40, 23.00, 114.70, 23.30), ("440700", "江门市", 112.70, 22.30, 112.90, 22.50),
)  # fmt: skip


def rows(count: int, seed: int = 1, bad_share: float = BAD_SHARE) -> list[list[str]]:
    """`count` rows under COLUMNS, `bad_share` of them with one mistake a report must name."""
    dice = random.Random(seed)
    made = []
    for i in range(count):
        code, name, west, south, east, north = BOXES[dice.randrange(len(BOXES))]
        word, usual = TYPES[dice.randrange(len(TYPES))]
        height = usual + dice.randrange(-3, 6)
        total = dice.choice((3, 6, 9))
        row = [
            f"B-{seed}-{i:07d}", f"{name}{word}{i}号", code, f"{name}{dice.randrange(1, 900)}号",
            f"{dice.uniform(west, east):.7f}", f"{dice.uniform(south, north):.7f}", word,
            dice.choice(("单管塔", "角钢塔", "钢杆")), f"{height}", f"{height - 2}", f"{total}",
            f"{dice.randrange(0, total)}", dice.choice(("3000", "4500元", "")), dice.choice(("220", "380", "")),
            dice.choice(("10", "30 kVA", "—")), dice.choice(("是", "否", "")), "在用",
            f"2026-{dice.randrange(1, 11):02d}-{dice.randrange(1, 29):02d}",
        ]  # fmt: skip
        if dice.random() < bad_share:
            _spoil(row, dice)
        made.append(row)
    return made


def _spoil(row: list[str], dice: random.Random) -> None:
    mistake = dice.randrange(5)
    if mistake == 0:
        row[4], row[5] = row[5], row[4]
    elif mistake == 1:
        row[11] = "99"
    elif mistake == 2:
        row[8] = "九十丈"
    elif mistake == 3:
        row[4] = ""
    else:
        row[2] = "330100"


def write(path: Path, made: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        out.writerows(made)
