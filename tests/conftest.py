"""How many cases property tests try: 500 in the suite, 10,000 by `make fuzz` for those marked `fuzz`."""

from hypothesis import settings

# No deadline: shared machines stall, and a slow case is no wrong one.
settings.register_profile("default", max_examples=500, deadline=None)
settings.register_profile("fuzz", max_examples=10_000, deadline=None)
settings.load_profile("default")
