"""A plain FastAPI application, as tutorials write it: typed rows, a data frame, the model."""

from __future__ import annotations

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, create_model

model = joblib.load(os.environ["MODEL"])
Row = create_model(
    "Row", **{str(name): (float, ...) for name in model.feature_names_in_}
)


class Rows(BaseModel):
    instances: list[Row]  # type: ignore[valid-type]


app = FastAPI()


@app.post("/predict")
def predict(body: Rows) -> dict:
    frame = pd.DataFrame([row.model_dump() for row in body.instances])
    return {"predictions": model.predict(frame).tolist()}
