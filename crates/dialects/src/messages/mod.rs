//! Anthropic Messages as clients of the service see them (gateway-api §8).
