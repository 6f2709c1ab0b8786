from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from fusion.schema.recipe import RecipeError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """A service's refusal is the caller's error: 400, with the words under the field that they
    concern.
    """
    if isinstance(error, ValidationError):
        detail = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
        error = exceptions.ValidationError(detail)
    elif isinstance(error, RecipeError):
        error = exceptions.ValidationError({"recipe": error.problems})
    return exception_handler(error, context)
