"""The same model as a BentoML service; started by `bentoml serve bento_app:Model`."""

import os

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=int(os.environ.get("WORKERS", "1")))
class Model:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, instances: list[dict[str, float]]) -> dict:
        return {"predictions": self.model.predict(pd.DataFrame(instances)).tolist()}
