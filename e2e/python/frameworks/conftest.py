"""Settings that have to stand before the frameworks are imported."""

import os

# LiteLLM otherwise fetches its price list when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
