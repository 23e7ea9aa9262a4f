"""English names of Chinese divisions. Pure.

Rule: the 34 provinces, Hong Kong, Macao and places with an established spelling (Hohhot, Lhasa, Urumqi …) by
table; all others in pinyin without tones, title case, apostrophe before a, o, e (Xi'an). Suffixes: 市 is
dropped (Guangzhou), 区 → District, 县 → County, 自治州 → Autonomous Prefecture with its peoples named,
地区 → Prefecture, 盟 → League, 旗 → Banner.
"""

from pypinyin import Style, lazy_pinyin

PROVINCES = {
    "11": "Beijing", "12": "Tianjin", "13": "Hebei", "14": "Shanxi", "15": "Inner Mongolia", "21": "Liaoning",
    "22": "Jilin", "23": "Heilongjiang", "31": "Shanghai", "32": "Jiangsu", "33": "Zhejiang", "34": "Anhui",
    "35": "Fujian", "36": "Jiangxi", "37": "Shandong", "41": "Henan", "42": "Hubei", "43": "Hunan",
    "44": "Guangdong", "45": "Guangxi", "46": "Hainan", "50": "Chongqing", "51": "Sichuan", "52": "Guizhou",
    "53": "Yunnan", "54": "Xizang", "61": "Shaanxi", "62": "Gansu", "63": "Qinghai", "64": "Ningxia",
    "65": "Xinjiang", "71": "Taiwan", "81": "Hong Kong", "82": "Macao",
}  # fmt: skip

# Stems with an established spelling, or whose characters pinyin tables read wrongly in a place name.
STEMS = {
    "呼和浩特": "Hohhot", "鄂尔多斯": "Ordos", "呼伦贝尔": "Hulunbuir", "巴彦淖尔": "Bayannur", "乌兰察布": "Ulanqab",
    "兴安盟": "Hinggan League", "锡林郭勒": "Xilingol", "阿拉善": "Alxa", "乌海": "Wuhai", "锡林浩特": "Xilinhot",
    "二连浩特": "Erenhot", "乌兰浩特": "Ulanhot", "满洲里": "Manzhouli", "哈尔滨": "Harbin", "齐齐哈尔": "Qiqihar",
    "拉萨": "Lhasa", "日喀则": "Xigaze", "昌都": "Qamdo", "林芝": "Nyingchi", "那曲": "Nagqu", "阿里": "Ngari",
    "乌鲁木齐": "Urumqi", "克拉玛依": "Karamay", "吐鲁番": "Turpan", "喀什": "Kashgar", "和田": "Hotan",
    "阿克苏": "Aksu", "伊犁": "Ili", "伊宁": "Yining", "阿勒泰": "Altay", "博尔塔拉": "Bortala",
    "巴音郭楞": "Bayingolin",
    "克孜勒苏": "Kizilsu", "库尔勒": "Korla", "甘孜": "Garze", "阿坝": "Ngawa", "玉树": "Yushu", "格尔木": "Golmud",
    "果洛": "Golog", "黄南": "Huangnan", "海西": "Haixi", "德令哈": "Delingha", "香格里拉": "Shangri-La",
    "六安": "Lu'an", "六合": "Luhe", "乐清": "Yueqing", "乐亭": "Laoting", "浚": "Xun", "枞阳": "Zongyang",
    "番禺": "Panyu", "洪洞": "Hongtong", "井陉": "Jingxing", "莘": "Shen", "单": "Shan", "盱眙": "Xuyi",
    "铅山": "Yanshan", "监利": "Jianli", "秭归": "Zigui", "泌阳": "Biyang", "中牟": "Zhongmu", "柞水": "Zhashui",
    "吴堡": "Wubu", "东阿": "Dong'e", "蚌埠": "Bengbu", "亳州": "Bozhou", "台州": "Taizhou", "丽水": "Lishui",
    "厦门": "Xiamen", "莆田": "Putian", "黄陂": "Huangpi", "尉氏": "Weishi", "尉犁": "Yuli", "朝阳": "Chaoyang",
    "漯河": "Luohe", "蔚": "Yu", "繁峙": "Fanshi",
    "任丘": "Renqiu", "任": "Ren", "长子": "Zhangzi", "长安": "Chang'an", "都匀": "Duyun", "都江堰": "Dujiangyan",
    "成都": "Chengdu", "大邑": "Dayi", "重庆": "Chongqing", "长春": "Changchun", "长沙": "Changsha",
    "长治": "Changzhi",
}  # fmt: skip

WHOLE = {  # by code: places whose official English is not pinyin
    "629700": "Shandan Horse Ranch", "629800": "Lianhuashan Nature Reserve", "629900": "Taizishan Nature Reserve",
    "810101": "Central and Western District", "810102": "Eastern District", "810103": "Kowloon City District",
    "810104": "Kwun Tong District", "810105": "Southern District", "810106": "Sham Shui Po District",
    "810107": "Wan Chai District", "810108": "Wong Tai Sin District", "810109": "Yau Tsim Mong District",
    "810110": "Islands District", "810111": "Kwai Tsing District", "810112": "North District",
    "810113": "Sai Kung District", "810114": "Sha Tin District", "810115": "Tuen Mun District",
    "810116": "Tai Po District", "810117": "Tsuen Wan District", "810118": "Yuen Long District",
    "820001": "Our Lady of Fatima Parish", "820002": "St Anthony Parish", "820003": "St Lazarus Parish",
    "820004": "Cathedral Parish", "820005": "St Lawrence Parish", "820006": "Our Lady of Carmel Parish",
    "820007": "Cotai", "820008": "St Francis Xavier Parish",
    "710001": "Kaohsiung", "710003": "Hualien County", "710004": "Keelung", "710005": "Chiayi",
    "710006": "Chiayi County", "710007": "Miaoli County", "710008": "Nantou County", "710009": "Taipei",
    "710010": "Penghu County", "710011": "Pingtung County", "710012": "New Taipei", "710013": "Taitung County",
    "710014": "Tainan", "710016": "Taichung", "710018": "Taoyuan", "710019": "Hsinchu", "710020": "Hsinchu County",
    "710021": "Yilan County", "710022": "Yunlin County", "710023": "Changhua County",
}  # fmt: skip

PEOPLES = {
    "蒙古族": "Mongol", "回族": "Hui", "藏族": "Tibetan", "维吾尔": "Uygur", "苗族": "Miao", "彝族": "Yi",
    "壮族": "Zhuang",
    "布依族": "Buyei", "朝鲜族": "Korean", "满族": "Manchu", "侗族": "Dong", "瑶族": "Yao", "白族": "Bai",
    "土家族": "Tujia",
    "哈尼族": "Hani", "哈萨克族": "Kazak", "傣族": "Dai", "黎族": "Li", "傈僳族": "Lisu", "佤族": "Va", "畲族": "She",
    "拉祜族": "Lahu", "水族": "Sui", "东乡族": "Dongxiang", "纳西族": "Naxi", "景颇族": "Jingpo",
    "柯尔克孜族": "Kirgiz",
    "土族": "Tu", "达斡尔族": "Daur", "仫佬族": "Mulao", "羌族": "Qiang", "布朗族": "Blang", "撒拉族": "Salar",
    "毛南族": "Maonan", "仡佬族": "Gelao", "锡伯族": "Xibe", "阿昌族": "Achang", "普米族": "Pumi",
    "塔吉克族": "Tajik",
    "怒族": "Nu", "鄂温克族": "Ewenki", "德昂族": "De'ang", "保安族": "Bonan", "裕固族": "Yugur", "独龙族": "Derung",
    "鄂伦春": "Oroqen", "蒙古": "Mongol", "哈萨克": "Kazak", "柯尔克孜": "Kirgiz", "锡伯": "Xibe", "塔吉克": "Tajik",
    "鄂温克": "Ewenki", "各族": "Multi-ethnic",
}  # fmt: skip

SUFFIXES = [  # longest first
    ("自治州", "Autonomous Prefecture"), ("自治县", "Autonomous County"), ("自治旗", "Autonomous Banner"),
    ("联合旗", "United Banner"), ("自治区", "Autonomous Region"), ("林区", "Forestry District"), ("特区",
    "Special District"),
    ("地区", "Prefecture"), ("群岛", "Islands"), ("区", "District"), ("县", "County"), ("市", ""), ("盟", "League"),
    ("旗", "Banner"),
]  # fmt: skip


def pinyin(text: str) -> str:
    """Pinyin in one word, title case, with the apostrophe that keeps syllables apart."""
    syllables = lazy_pinyin(text, style=Style.NORMAL, v_to_u=True)
    word = "".join(("'" if i and s[0] in "aoe" else "") + s for i, s in enumerate(syllables))
    return word[:1].upper() + word[1:]


def english_name(code: str, name_zh: str) -> str:
    """The English name of a division by code and Chinese name."""
    if code.endswith("0000"):
        return PROVINCES.get(code[:2], pinyin(name_zh))
    if code in WHOLE:
        return WHOLE[code]
    if name_zh in STEMS:
        return STEMS[name_zh]
    stem, suffix = _split(name_zh, SUFFIXES)
    peoples: list[str] = []
    if suffix.startswith("Autonomous"):
        stem, peoples = _peoples(stem)
    words = [STEMS.get(stem) or pinyin(stem), _joined(peoples), suffix]
    return " ".join(word for word in words if word)


def _split(name: str, suffixes: list[tuple[str, str]]) -> tuple[str, str]:
    for zh, en in suffixes:
        if name.endswith(zh) and len(name) > len(zh):
            return name.removesuffix(zh), en
    return name, ""


def _peoples(stem: str) -> tuple[str, list[str]]:
    """("恩施", ["Tujia", "Miao"]) from "恩施土家族苗族"; a stem that is all peoples keeps its first characters."""
    found: list[str] = []
    names = sorted(PEOPLES, key=len, reverse=True)
    while True:
        match = next((zh for zh in names if stem.endswith(zh)), None)
        if match is None:
            return stem, found
        if len(stem) == len(match):  # 鄂温克族自治旗: the people is the whole name
            return "", [PEOPLES[match], *found]
        stem = stem.removesuffix(match)
        found.insert(0, PEOPLES[match])


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
