"""The base of every stored form: an unknown field is an error, never dropped."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
