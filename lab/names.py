"""Names, places and figures of a small Indonesian provider, for the virtual one."""

_MEN = (
    "Agus Ahmad Andi Arif Bagus Bambang Bayu Budi Dedi Dimas Eko Fajar Galih Hadi Hendra Imam Irfan Joko "
    "Kurnia Lukman Mulyono Nanang Nur Prasetyo Rahmat Rizky Rudi Slamet Sugeng Supri Sutrisno Taufik Teguh "
    "Wahyu Yanto Yusuf"
)
_WOMEN = (
    "Ani Ayu Dewi Dian Dwi Endah Fitri Ika Indah Kartini Lestari Lilis Maya Mega Nina Novi Nurul Putri Rahayu "
    "Ratna Retno Rina Sari Siti Sri Sulastri Tri Umi Wati Wulan Yanti Yuli"
)
_FAMILY = (
    "Anggraini Fauzi Firmansyah Gunawan Handayani Hartono Hidayat Kurniawan Kusuma Maulana Nugroho Pramono "
    "Pratama Purnomo Rahman Ramadhan Santoso Saputra Setiawan Siswanto Subagyo Suharto Susanto Syahputra "
    "Utomo Wibowo Widodo Wijaya Wulandari Yulianto"
)

MEN, WOMEN, FAMILY = _MEN.split(), _WOMEN.split(), _FAMILY.split()

SITES = (
    ("waru", "Waru", -7.3561, 112.7290),
    ("sedati", "Sedati", -7.3850, 112.7856),
    ("gedangan", "Gedangan", -7.3895, 112.7268),
)

ROUTERS = (
    ("gw-waru", "waru", "6.49.18", "RB951Ui-2HnD", "10.20.0.0/16", "10.5.0.0/16"),
    ("gw-sedati", "sedati", "7.16.2", "RB750Gr3", "10.21.0.0/16", "10.6.0.0/16"),
    ("gw-gedangan", "gedangan", "7.20.7", "CHR", "10.22.0.0/16", "10.7.0.0/16"),
)
"""Name, site, RouterOS, board, PPPoE pool, hotspot pool."""

# Kind, how many of ten, what it is called for people.
DEVICES = (
    ("tower", "Tower {site}"),
    ("olt", "OLT {site}"),
    ("ap", "AP RT {number:02d} {site}"),
    ("ap", "AP RT {number:02d} {site}"),
    ("sw", "Switch pos ronda {number} {site}"),
    ("cam", "CCTV gapura {number} {site}"),
)

CORE = (("core-1", "Core router, Waru", "waru"), ("dns-1", "DNS resolver, Waru", "waru"))

PROFILES = (
    ("paket-5", "2M/5M", 100_000),
    ("paket-10", "3M/10M", 150_000),
    ("paket-20", "5M/20M", 225_000),
)
HOTSPOT_PROFILES = (("harian", "1M/3M", 3_000), ("mingguan", "1M/3M", 15_000), ("bulanan", "2M/5M", 50_000))

MAC_PREFIXES = ("48:8F:5A", "C4:AD:34", "50:C7:BF", "A8:5E:45", "3C:84:6A", "8C:53:C3", "D8:0D:17", "7C:8B:CA")
PHONE_PREFIXES = ("0812", "0813", "0821", "0822", "0852", "0853", "0856", "0857", "0858", "0877", "0878", "0895")
