"""The first words of the portal's own pages, in both languages. Editors change them in the CMS; code never does."""

# ruff: noqa: E501 — running text

HOME = {
    "zh-hans": {
        "title": "共建",
        "lead": "把已有的铁塔、管道、光缆和机房用起来：业主登记可以共享的，运营商提出需要的，主管部门把两边对上。",
    },
    "en": {
        "title": "Gongjian",
        "lead": "Share the towers, ducts, cables and rooms that exist: owners list what they can open, "
        "operators say what they need, bureaus bring the two together.",
    },
}

LISTS = {
    "zh-hans": {
        "title": "需求清单",
        "introduction": "<p>主管部门按半年一批公布本地区的共建共享需求。公示期内，已核验的单位可以提出异议；"
        "公示期满，清单生效，可以匹配和申请。</p>",
        "show_in_menus": True,
    },
    "en": {
        "title": "Demand lists",
        "introduction": "<p>Bureaus publish the needs of their region in half-yearly batches. During the public notice, "
        "verified organisations can object; after it the list is in force, and its lines can be matched and asked for.</p>",
        "show_in_menus": True,
    },
}

_UNITS_ZH = (
    "<h2>计量单位</h2><ul><li>铁塔：座；平台上的天线位</li><li>管道、杆路：线路公里；管道另计孔公里</li>"
    "<li>光缆：皮长公里；纤芯另计芯公里</li><li>机房：U 位和千瓦，两者都要够</li></ul>"
)
_UNITS_EN = (
    "<h2>Units</h2><ul><li>Towers: sites; antenna positions on platforms</li>"
    "<li>Ducts and pole lines: route-km; ducts also bore-km</li><li>Cables: sheath-km; cores also core-km</li>"
    "<li>Rooms: rack units and kW, and both must fit</li></ul>"
)

ARTICLES = {
    "standards": {
        "zh-hans": {
            "title": "标准规范",
            "introduction": "登记、共享和验收时依据的文件，以及本平台采用的口径。",
            "body": "<h2>政策依据</h2><p>工信部联通信〔2024〕165号：十一部门要求跨行业双向开放铁塔、管道、光缆、机房，"
            "并在地铁、隧道、桥梁建设时为通信预留空间和电力。原则：能共享不新建，能共建不独建。</p>" + _UNITS_ZH,
            "show_in_menus": True,
        },
        "en": {
            "title": "Standards",
            "introduction": "What recording, sharing and acceptance go by, and the conventions of this portal.",
            "body": "<h2>Policy</h2><p>MIIT Unicom Letter [2024] No. 165: eleven departments ask for towers, ducts, cables "
            "and machine rooms to be opened across sectors, in both directions, and for space and power to be reserved for "
            "communications when subways, tunnels and bridges are built. Share before building; build jointly before "
            "building alone.</p>" + _UNITS_EN,
            "show_in_menus": True,
        },
        "children": {
            "tower-loading": {
                "zh-hans": {
                    "title": "铁塔加挂",
                    "introduction": "加挂天线前要核对什么。",
                    "body": "<ul><li>平台间距不大于 5 米（YD 5191-2009）</li><li>荷载校核：剩余挡风面积和重量</li>"
                    "<li>系统间隔离度满足要求</li><li>基础或主材需要改动的，不予加固</li>"
                    "<li>设计和验收资料齐全</li></ul>",
                    "show_in_menus": True,
                },
                "en": {
                    "title": "Adding antennas to a tower",
                    "introduction": "What to check before antennas are added.",
                    "body": "<ul><li>Platforms at most 5 m apart (YD 5191-2009)</li>"
                    "<li>Load check: wind area and weight that are left</li><li>Isolation between systems is satisfied</li>"
                    "<li>No reinforcement where foundation or main members would need work</li>"
                    "<li>Design and acceptance papers are complete</li></ul>",
                    "show_in_menus": True,
                },
            },
            "coordinates": {
                "zh-hans": {
                    "title": "坐标",
                    "introduction": "本平台收什么坐标，存什么坐标。",
                    "body": "<p>存储用 WGS 84 经纬度（EPSG:4326），与 2000 国家大地坐标系（CGCS2000，EPSG:4490）相差厘米级。"
                    "导入时可以给 CGCS2000 高斯—克吕格投影、GCJ-02 或 BD-09，入库前在地图上核对：坐标系弄错，"
                    "铁塔会偏出数百米。</p>",
                    "show_in_menus": True,
                },
                "en": {
                    "title": "Coordinates",
                    "introduction": "Which coordinates the portal takes, and which it keeps.",
                    "body": "<p>Places are kept as WGS 84 longitude and latitude (EPSG:4326), which differs from CGCS2000 "
                    "(EPSG:4490) by centimetres. Files may come in CGCS2000 Gauss–Krüger zones, GCJ-02 or BD-09, and are "
                    "checked on a map before anything is stored: the wrong datum moves a tower by hundreds of metres.</p>",
                    "show_in_menus": True,
                },
            },
        },
    },
    "guides": {
        "zh-hans": {
            "title": "使用指南",
            "introduction": "三类用户各自怎么开始。",
            "body": "<p>先注册并加入所在单位；单位由所在地区的主管部门核验后，就可以发布和申请。</p>",
            "show_in_menus": True,
        },
        "en": {
            "title": "Guides",
            "introduction": "How each of the three users begins.",
            "body": "<p>Sign up and join your organisation first. Once the bureau of its region has verified it, "
            "it can publish and request.</p>",
            "show_in_menus": True,
        },
        "children": {
            "owners": {
                "zh-hans": {
                    "title": "业主：登记资源",
                    "introduction": "逐条填写，或用文件批量导入。",
                    "body": "<ol><li>在“我的资源”里新建，或选择文件导入；单位自己的编号相同的，视为同一资源。</li>"
                    "<li>填写容量：天线位、管孔、纤芯、U 位和千瓦。</li>"
                    "<li>选择公开程度：只计数、模糊到 1 公里以上的网格，或对已核验单位公开准确位置。</li>"
                    "<li>发布。申请到来时在“我的工作”里答复：受理、勘察、报价；时限按工作日计算。</li></ol>",
                    "show_in_menus": True,
                },
                "en": {
                    "title": "Owners: list your resources",
                    "introduction": "One by one, or from a file.",
                    "body": "<ol><li>Add a resource under “My resources”, or import a file; rows with your own code again "
                    "are the same resource.</li><li>Give its capacity: positions, bores, cores, rack units and kW.</li>"
                    "<li>Choose the disclosure: counted only, blurred to a cell of at least 1 km, or exact to verified "
                    "organisations.</li><li>Publish. Answer requests under “My work”: completeness, survey, offer; clocks run in "
                    "working days.</li></ol>",
                    "show_in_menus": True,
                },
            },
            "operators": {
                "zh-hans": {
                    "title": "运营商：寻找与申请",
                    "introduction": "从地图或需求清单出发。",
                    "body": "<ol><li>主管部门开放征集时，在“需求征集”里报送需求：逐条填写，或用文件一次报送；"
                    "截止前可以修改和撤回，公示前只有贵单位和主管部门能看到。</li>"
                    "<li>公示期内，对清单或其中一条有异议的，在清单页面提出；主管部门决定后答复并说明理由。</li>"
                    "<li>在资源地图上按种类、地区、剩余容量筛选。</li>"
                    "<li>拟新建之前，先做重复建设核查，取得带核验码的证明。</li>"
                    "<li>需要准确位置时说明用途，由业主准许。</li><li>申请：所需容量立即预占，到期自动释放。</li>"
                    "<li>协商报价，双方签署，预占转为确认。</li></ol>",
                    "show_in_menus": True,
                },
                "en": {
                    "title": "Operators: find and ask",
                    "introduction": "Start from the map or from a demand list.",
                    "body": "<ol><li>While a bureau's call is open, hand your needs in under “Calls”: one by one, or many "
                    "from a file. Until it closes you can change them and take them back; before the public notice only "
                    "your organisation and the bureau see them.</li>"
                    "<li>During the notice, object to a list or one of its lines on its page; the bureau decides and "
                    "answers with its reason.</li>"
                    "<li>Filter the resource map by kind, region and free capacity.</li>"
                    "<li>Before building anew, take a duplicate-build check: its certificate has a verification code.</li>"
                    "<li>Where you need the exact place, give a purpose; the owner decides.</li>"
                    "<li>Request: the units are held at once, and given back when the hold expires.</li>"
                    "<li>Negotiate, sign on both sides, and the hold becomes a reservation.</li></ol>",
                    "show_in_menus": True,
                },
            },
            "bureaus": {
                "zh-hans": {
                    "title": "主管部门：编制清单",
                    "introduction": "从草稿到生效。",
                    "body": "<ol><li>在工作台新建清单；可以开放征集，由运营商在截止日前报送，"
                    "也可以逐条添加或用文件导入。</li><li>整理：查重、合并、拆分、批量修改优先级和期限。</li>"
                    "<li>提交后由第二人审核发布；提交人不能自己发布。</li>"
                    "<li>公示期按工作日计算（默认 15 个工作日，可按地区设定），期间可以提出异议。</li>"
                    "<li>异议逐件决定并说明理由，答复异议单位；公示期内的更正由第二人同意，并按规则延长或重新计算公示期。</li>"
                    "<li>期满且异议均已决定的，自动生效，随后可以运行匹配；期末关闭，未满足的需求复制到下一批。</li>"
                    "<li>节假日与调休有变化时，在“工作日”里设定，正在计时的时限随之重算并告知。</li></ol>",
                    "show_in_menus": True,
                },
                "en": {
                    "title": "Bureaus: curate a list",
                    "introduction": "From draft to in force.",
                    "body": "<ol><li>Make a list at your desk. Open a call, so that operators hand lines in until a closing "
                    "date; add lines one by one or from a file.</li>"
                    "<li>Put it in order: find duplicates, merge, split, set priorities and dates of many lines at once.</li>"
                    "<li>Submit it; a second person reviews and publishes. Who submitted cannot publish.</li>"
                    "<li>The public notice runs in working days (15 by default, set per region); objections are made "
                    "in that time.</li><li>Decide each objection with a reason; who objected is answered. A correction "
                    "during the notice takes a second person, and lengthens the notice or begins it anew by rule.</li>"
                    "<li>When the notice has ended and every objection is decided, the list is in force and matching can "
                    "run. At the end of the half-year close it and copy what is unmet to the next batch.</li>"
                    "<li>Where holidays or make-up days change, set them under “Working days”: running clocks are counted "
                    "anew, and those who wait are told.</li></ol>",
                    "show_in_menus": True,
                },
            },
        },
    },
}
