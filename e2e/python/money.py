"""What a request has to cost, computed apart from the gateway and without floats."""

from decimal import ROUND_HALF_EVEN, Decimal


def nanodollars(amount):
    """Rounds dollars the way a ledger row does: half to even, once, to nanodollars."""
    # A JSON number arrives as a float; its shortest text is the number that was written.
    text = repr(amount) if isinstance(amount, float) else str(amount)
    return int((Decimal(text) * 10**9).to_integral_value(ROUND_HALF_EVEN))


def expected_nano(usage, pricing):
    """What a chat `usage` object costs at a catalog entry's `pricing`, in nanodollars."""
    read = usage["prompt_tokens_details"]["cached_tokens"]
    write = usage["cache_creation_input_tokens"]
    fresh = usage["prompt_tokens"] - read - write
    assert fresh >= 0, f"cached tokens exceed the prompt they are part of: {usage}"
    tokens = {
        "input": fresh,
        "output": usage["completion_tokens"],
        "input_cache_read": read,
        "input_cache_write": write,
    }
    # A price is looked up only where there are tokens, and has to be there then.
    return nanodollars(sum(Decimal(pricing[name]) * count for name, count in tokens.items() if count))
