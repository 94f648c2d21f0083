"""What schemathesis has to know of images beyond their schema."""

import schemathesis

# Far above any pixel, and far below what overflows in a model.
VALUE_MAX = 1e6


@schemathesis.hook
def map_body(context, body):
    """How large values may be depends on the model that answers; those that are generated reach the largest f32."""
    return clamped(body) if context.operation.label.startswith("POST /gateway/") else body


def clamped(value):
    if isinstance(value, dict):
        return {key: clamped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clamped(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return max(-VALUE_MAX, min(VALUE_MAX, value))
    return value
