//! OpenAI Responses as clients of the service see them (gateway-api §7.2, §7.3).
