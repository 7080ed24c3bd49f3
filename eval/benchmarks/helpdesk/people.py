"""Names, places and payment methods that customers are made of."""

FIRST = (
    "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Henry", "Iris", "James", "Karen", "Liam",
    "Maria", "Noah", "Olivia", "Peter", "Rosa", "Samuel", "Tara", "Victor", "Wendy", "Yusuf", "Zoe", "Marcus",
    "Nina", "Oscar", "Paula", "Raj", "Sofia", "Theo",
)  # fmt: skip
LAST = (
    "Adler", "Bishop", "Costa", "Dawson", "Ellis", "Fischer", "Garcia", "Hughes", "Ivanov", "Jensen", "Keller",
    "Lopez", "Moreau", "Nakamura", "Okafor", "Patel", "Quinn", "Rossi", "Schmidt", "Tanaka", "Underwood", "Vargas",
    "Walsh", "Xu", "Young", "Zimmer", "Brandt", "Chen", "Duarte", "Eriksen",
)  # fmt: skip
STREETS = (
    "Oak Street", "Maple Avenue", "Cedar Lane", "Hill Road", "River Drive", "Park Street", "Lake Avenue",
    "Church Street", "Mill Road", "Garden Lane", "Station Road", "Sunset Drive",
)  # fmt: skip
CITIES = (
    ("Columbus", "OH"), ("Austin", "TX"), ("Portland", "OR"), ("Denver", "CO"), ("Albany", "NY"),
    ("Madison", "WI"), ("Tucson", "AZ"), ("Raleigh", "NC"), ("Boise", "ID"), ("Omaha", "NE"),
)  # fmt: skip
CARDS = ("Visa", "Mastercard", "Amex")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
