//! The AI SDK's gateway protocol, versions v2, v3 and v4 (gateway-api §17).
