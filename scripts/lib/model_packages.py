"""Reads facts about models from two pinned Python packages, which are not imported.

litellm contains a JSON file with the capabilities and prices of models, genai-prices a Python file
with prices and the dates from which they hold. `read_packages` returns rows of
crates/llm-exe/data/catalog.json. A row contains only what a package states:

    provider, model    the provider in this repository, and the id of the model
    source, date       the package, the page that it cites, and the date of the package
    context, maxOutput, minCache    numbers of tokens: the longest prompt, the longest reply, and the
                       shortest prompt that is cached
    media              the kinds of input besides text
    apis               the paths of the APIs that serve the model
    efforts            whether the model accepts these efforts
    defaultEffort      the effort of a request without one
    sampling, forcedTool, tools, schema, alwaysThinks    whether the model accepts or does this
    ends, successor    the date on which the model is shut down, and the model to use instead
    prices             see `litellm_price`
    disagrees          the parts of the current price that are different in genai-prices
"""

import ast
import datetime
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("model-packages.txt")
# The dates on which the pinned versions were published.
DATES = {"litellm": "2026-11-20", "genai-prices": "2026-11-10"}

LITELLM_FILE = "litellm/model_prices_and_context_window_backup.json"
GENAI_FILE = "genai_prices/data.py"

# The providers: litellm's name, and the prefix of its keys.
LITELLM_PROVIDERS = {
    "openai": ("openai", ""),
    "anthropic": ("anthropic", ""),
    "gemini": ("google", "gemini/"),
    "xai": ("xai", "xai/"),
    "deepseek": ("deepseek", "deepseek/"),
    "bedrock": ("amazon", ""),
    "bedrock_converse": ("amazon", ""),
}
GENAI_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "x-ai": "xai",
    "deepseek": "deepseek",
    "aws": "amazon",
}
# The names of a provider's own models. genai-prices has other names, such as those of old APIs.
OWN_MODELS = {
    "openai": r"(?!gpt-oss)(gpt-|chatgpt-|o\d)[^:]*$",
    "anthropic": r"claude-",
    "google": r"(gemini|gemma)-[^:]*$",
    "xai": r"grok-",
    "deepseek": r"deepseek-",
}
# The tiers of service with a price of their own: the name here, and the suffix in litellm.
TIERS = {
    "batch": "_batches",
    "flex": "_flex",
    "priority": "_priority",
    "ultrafast": "_ultrafast",
}
# The parts of a price: the name here, litellm's name, and that of genai-prices.
PARTS = {
    "input": ("input_cost_per_token", "input_mtok"),
    "cachedInput": ("cache_read_input_token_cost", "cache_read_mtok"),
    "cacheWrite": ("cache_creation_input_token_cost", "cache_write_mtok"),
    "output": ("output_cost_per_token", "output_mtok"),
}
# The names of the price for writing to a cache that lives for an hour or longer.
LONG_WRITE = [f"cache_creation_input_token_cost_above_{time}" for time in ("1hr", "12hr")]
MEDIA = {"image": "vision", "pdf": "pdf_input", "audio": "audio_input", "video": "video_input"}
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
# Models for other purposes than text. Their prices have parts that the tables do not contain.
OTHER_MODELS = re.compile(
    "audio|container|embed|image|live|lyria|nano-banana|native|omni|realtime|robotics|transcribe|tts"
    "|veo"
)
FLAGS = {
    "sampling": "supports_sampling_params",
    "forcedTool": "supports_forced_tool_use",
    "tools": "supports_function_calling",
    "schema": "supports_response_schema",
    "alwaysThinks": "thinking_always_on",
}


def pinned_versions():
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", REQUIREMENTS.read_text(), re.MULTILINE))


def read_packages():
    """Downloads the packages, checks their hashes, and returns the rows."""
    versions = pinned_versions()
    with tempfile.TemporaryDirectory() as folder:
        # A fixed platform, so that every machine downloads the file whose hash is pinned.
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            + ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version=3.11"]
            + ["--platform=manylinux_2_28_x86_64"]
            + [f"--dest={folder}", f"--requirement={REQUIREMENTS}"],
            check=True,
        )
        litellm = json.loads(read_file(folder, "litellm", LITELLM_FILE), parse_float=Decimal)
        genai = parse_python(read_file(folder, "genai_prices", GENAI_FILE))
    return merge(litellm, genai, versions)


def read_file(folder, package, name):
    (wheel,) = Path(folder).glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()


def merge(litellm, genai, versions):
    rows = {}
    for key, entry in litellm.items():
        row = litellm_row(key, entry, versions["litellm"])
        # deepseek-chat and deepseek/deepseek-chat are the same model.
        if row and (row["provider"], row["model"]) not in rows:
            rows[row["provider"], row["model"]] = row
    for provider in genai:
        name = GENAI_PROVIDERS.get(provider["id"])
        if name is None:
            continue
        for (row_provider, model), row in rows.items():
            if row_provider == name and row.get("prices"):
                found = find_genai(provider["models"], model)
                if found:
                    add_dates(row, found, versions["genai-prices"])
        known = [model for row_provider, model in rows if row_provider == name]
        for entry in provider["models"] if name != "amazon" else []:
            # Other names of a model that litellm contains are not needed.
            if any(clause_matches(entry["match"], model) for model in known):
                continue
            for model in literal_names(entry["match"]):
                row = genai_row(name, model, entry, versions["genai-prices"])
                is_own = re.match(OWN_MODELS[name], model) and not OTHER_MODELS.search(model)
                if row and is_own:
                    rows[name, model] = row
    return sorted(rows.values(), key=lambda row: (row["provider"], row["model"]))


def litellm_row(key, entry, version):
    provider, prefix = LITELLM_PROVIDERS.get(entry.get("litellm_provider"), (None, ""))
    model = key.removeprefix(prefix)
    is_other = provider is None or entry.get("mode") not in ("chat", "responses") or "/" in model
    if is_other or OTHER_MODELS.search(model) or provider == "amazon" and not is_bedrock_id(model):
        return None
    page = entry.get("source")
    row = {"provider": provider, "model": model}
    row["source"] = f"litellm {version}" + (f": {page}" if page else "")
    row["date"] = DATES["litellm"]
    for name, field in [
        ("context", "max_input_tokens"),
        ("maxOutput", "max_output_tokens"),
        ("minCache", "prompt_cache_min_tokens"),
    ]:
        if entry.get(field):
            row[name] = int(entry[field])
    row["media"] = [kind for kind, flag in MEDIA.items() if entry.get(f"supports_{flag}")]
    if entry.get("supported_endpoints"):
        row["apis"] = sorted(entry["supported_endpoints"])
    efforts = {effort: entry.get(f"supports_{effort}_reasoning_effort") for effort in EFFORTS}
    for effort in entry.get("reasoning_effort_levels") or []:
        efforts[effort] = True
    row["efforts"] = {name: value for name, value in efforts.items() if value is not None}
    row["defaultEffort"] = entry.get("default_reasoning_effort")
    for name, field in FLAGS.items():
        row[name] = entry.get(field)
    row["ends"] = entry.get("deprecation_date")
    row["successor"] = (entry.get("successor_model") or "").rpartition("/")[2] or None
    price = litellm_price(entry)
    row["prices"] = [price] if price else None
    return {name: value for name, value in row.items() if value not in (None, [], {})}


def is_bedrock_id(model):
    return bool(re.match(r"[a-z-]+\.[a-z]", model))


def text(number):
    """The shortest text of a decimal number, without an exponent."""
    return f"{number.normalize():f}"


def per_million(entry, name):
    price = entry.get(name)
    return None if price is None else Decimal(price) * 1_000_000


def litellm_price(entry):
    """Returns a price in USD per million tokens: its parts, the factors of tiers, and in `above` the
    prices of requests with more prompt tokens than `tokens`."""
    parts = price_parts(entry, "")
    # Models that are free for testers have no known price.
    if not parts.get("input") or not parts.get("output"):
        return None
    price = {name: text(value) for name, value in parts.items()}
    factors = {}
    for tier, suffix in TIERS.items():
        factor = tier_factor(entry, suffix)
        if factor:
            factors[tier] = text(factor)
    for name in ("fast", "us"):
        value = (entry.get("provider_specific_entry") or {}).get(name)
        if value:
            factors[name] = text(Decimal(value))
    if factors:
        price["factors"] = factors
    limits = {
        int(match[1])
        for name in entry
        if (match := re.fullmatch(r"input_cost_per_token_above_(\d+)k_tokens", name))
    }
    above = []
    for limit in sorted(limits):
        parts = price_parts(entry, f"_above_{limit}k_tokens")
        prices = {name: text(value) for name, value in parts.items()}
        above.append({"tokens": limit * 1000} | prices)
    if above:
        price["above"] = above
    if entry.get("off_peak_pricing"):
        price["offPeak"] = off_peak(entry)
    return price


def tier_factor(entry, suffix):
    """Returns the factor of a tier of service, or None if its prices are not whole percentages of
    all others, which the Rust table can't express."""
    names = [name for name in entry if "_token" in name and name.endswith(suffix)]
    names = [name for name in names if name.startswith(("input_cost", "cache_", "output_cost"))]
    ratios = set()
    for name in names:
        base = entry.get(name.removesuffix(suffix))
        if base and "audio" not in name:
            ratios.add(Decimal(entry[name]) / Decimal(base))
    (factor,) = ratios if len(ratios) == 1 else (None,)
    return factor if factor and factor * 100 == (factor * 100).to_integral_value() else None


def price_parts(entry, suffix):
    parts = {name: per_million(entry, field + suffix) for name, (field, _) in PARTS.items()}
    for field in LONG_WRITE:
        value = per_million(entry, field + suffix)
        if value is not None:
            parts["cacheWriteLong"] = value
    return {name: value for name, value in parts.items() if value is not None}


def off_peak(entry):
    """Returns the factor of the lower price and the hours in UTC of Monday to Friday at which it
    holds. On Saturday and Sunday it always holds."""
    pricing = entry["off_peak_pricing"]
    factor = Decimal(pricing["input_cost_per_token"]) / Decimal(entry["input_cost_per_token"])
    hours = set()
    for window in pricing["windows"]:
        ranges = window["hours_utc"]
        for span in [ranges] if isinstance(ranges, str) else ranges:
            start, end = (int(time.split(":")[0]) for time in span.split("-"))
            if window["weekdays"] == [1, 2, 3, 4, 5]:
                hours |= set(range(start, end or 24))
            elif window["weekdays"] != [6, 7] or (start, end) != (0, 0):
                sys.exit(f"litellm: unknown window of prices: {window}")
    return {"factor": text(factor), "hours": sorted(hours)}


# genai-prices. Its data is a Python expression that consists of constructors and literals.


def parse_python(source):
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and node.target.id == "providers":
            return evaluate(node.value)
    sys.exit("genai-prices: expected the list `providers`")


def evaluate(node):
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [evaluate(item) for item in node.elts]
        case ast.Dict():
            return {evaluate(key): evaluate(value) for key, value in zip(node.keys, node.values)}
        case ast.Call():
            name = ast.unparse(node.func)
            positional = [evaluate(argument) for argument in node.args]
            named = {argument.arg: evaluate(argument.value) for argument in node.keywords}
            if name == "Decimal":
                return Decimal(positional[0])
            if name == "datetime.date":
                return datetime.date(*positional)
            return {"type": name} | named
        case _:
            return ast.unparse(node)


def clause_matches(clause, model):
    match clause["type"]:
        case "ClauseEquals":
            return model == clause["equals"]
        case "ClauseStartsWith":
            return model.startswith(clause["starts_with"])
        case "ClauseEndsWith":
            return model.endswith(clause["ends_with"])
        case "ClauseContains":
            return clause["contains"] in model
        case "ClauseRegex":
            return re.search(clause["regex"], model) is not None
        case "ClauseOr":
            return any(clause_matches(part, model) for part in clause["or_"])
        case "ClauseAnd":
            return all(clause_matches(part, model) for part in clause["and_"])
        case other:
            sys.exit(f"genai-prices: unknown clause {other}")


def find_genai(models, model):
    return next((entry for entry in models if clause_matches(entry["match"], model)), None)


def literal_names(clause):
    """Returns the complete names in a clause."""
    if clause["type"] == "ClauseOr":
        return [name for part in clause["or_"] for name in literal_names(part)]
    return [clause["equals"]] if clause["type"] == "ClauseEquals" else []


def genai_prices(entry):
    """Returns the prices with the dates from which they hold, or None if they depend on the time of
    the day."""
    prices = entry["prices"]
    if isinstance(prices, dict):
        prices = [{"prices": prices}]
    rows = []
    for item in prices:
        constraint = item.get("constraint")
        if constraint and constraint["type"] != "StartDateConstraint":
            return None
        row = genai_parts(item["prices"])
        if not row.get("input") or not row.get("output"):
            return None
        if constraint:
            row["from"] = constraint["start_date"].isoformat()
        rows.append(row)
    return sorted(rows, key=lambda row: row.get("from", ""))


def genai_parts(prices):
    row, above = {}, {}
    names = {name: field for name, (_, field) in PARTS.items()}
    for name, field in (names | {"cacheWriteLong": "cache_write_1h_mtok"}).items():
        value = prices.get(field)
        if isinstance(value, dict):
            for tier in value["tiers"]:
                above.setdefault(tier["start"], {})[name] = text(tier["price"])
            value = value["base"]
        if value is not None:
            row[name] = text(value)
    if above:
        row["above"] = [{"tokens": tokens} | parts for tokens, parts in sorted(above.items())]
    return row


def genai_row(provider, model, entry, version):
    prices = genai_prices(entry)
    if not prices:
        return None
    for variant in entry.get("price_variants", []):
        if variant["when"] == {"processing": "batch"} and isinstance(variant["prices"], dict):
            batch = Decimal(genai_parts(variant["prices"])["input"]) / Decimal(prices[-1]["input"])
            prices[-1].setdefault("factors", {})["batch"] = text(batch)
    row = {"provider": provider, "model": model}
    row |= {"source": f"genai-prices {version}", "date": DATES["genai-prices"]}
    if entry.get("context_window"):
        row["context"] = entry["context_window"]
    return row | {"prices": prices}


def add_dates(row, entry, version):
    """Adds the date from which litellm's price holds, the prices that hold later, and what is
    different."""
    prices = genai_prices(entry)
    if not prices:
        return
    (price,) = row["prices"]
    today = DATES["litellm"]
    current = [other for other in prices if other.get("from", "") <= today][-1:]
    for other in current:
        differs = [
            f"{name} {other[name]}"
            for name in ("input", "cachedInput", "cacheWrite", "cacheWriteLong", "output")
            if other.get(name) and price.get(name, other[name]) != other[name]
        ]
        if differs:
            row["disagrees"] = f"genai-prices {version}: {', '.join(differs)}"
        elif "from" in other:
            price["from"] = other["from"]
    for later in prices:
        if later.get("from", "") > today:
            shared = {name: price[name] for name in ("factors", "offPeak") if name in price}
            row["prices"].append(later | shared)
            row["source"] += f"; genai-prices {version}"
