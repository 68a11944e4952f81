"""Where sluice answers otherwise than Java on purpose: "case/step", and why. Users are told in
docs/REST.md. A difference that is gone must be taken out."""

_SAYS_ONCE = "Java says of a value that is no number also that it is null"
_FULL_NAME = "a plugin's name in the path and in connector.class may be two names of the same"
_SOONER = "found by validate already, not only when the connector starts"
_JACKSON = "other words for text that is no JSON"
_STANDALONE = "as Java's standalone worker answers"

BOTH = {
    "refused_configs/4": _SAYS_ONCE,
    "validate_sinks/6": _SAYS_ONCE,
    "restart_only_what_failed/1": "what is RESTARTING has no trace: it stopped being true",
    "validate/4": _FULL_NAME,
    "validate/5": _FULL_NAME,
    "validate_chains/8": "negate without predicate is said of negate, not of the transform's type",
    "validate_chains/9": _SOONER,
    "validate_chains/16": _SOONER,
    "validate_chains/17": _SOONER,
    "validate_chains/19": _SOONER,
    "validate_chains/21": "config.action.reload has no effect, and is not checked",
    "wrong_bodies/6": _JACKSON,
    "wrong_bodies/7": _JACKSON,
}
STANDALONE = {
    "failed_task_and_restart/5": _STANDALONE,
    "failed_task_and_restart/6": _STANDALONE,
    **{f"internal_requests/{i}": _STANDALONE for i in range(6)},
}
DISTRIBUTED = {}


def allowed(label):
    return {**BOTH, **(STANDALONE if label == "standalone" else DISTRIBUTED)}
