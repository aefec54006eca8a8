"""Taking a bad release back: the feed first, then everybody who has to know (WDR-1 to WDR-4).

target.py      where users of the withdrawn version go, and whether they can
"""
