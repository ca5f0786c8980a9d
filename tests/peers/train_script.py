"""A training script that nobody adapted to Cairn: it speaks MLflow and nothing else."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("iris")
x, xt, y, yt = train_test_split(*load_iris(return_X_y=True), test_size=0.3, random_state=7)

with mlflow.start_run(run_name="by-hand") as run:
    mlflow.log_param("C", 0.5)
    mlflow.log_params({"solver": "lbfgs", "max_iter": 200})
    model = LogisticRegression(C=0.5, max_iter=200).fit(x, y)
    for step in range(50):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.log_metrics({"accuracy": model.score(xt, yt), "odd": float("nan")})
    mlflow.set_tag("team", "red")
    mlflow.set_tags({"stage": "try", "note": "a tag"})
    mlflow.log_dict({"classes": [0, 1, 2]}, "classes.json")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/line.png")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_input(mlflow.data.from_numpy(x, targets=y, name="iris-train"), context="training")
    logged = mlflow.sklearn.log_model(model, name="model", input_example=x[:2])

mlflow.sklearn.autolog(log_datasets=True)
with mlflow.start_run(run_name="automatic") as auto:
    LogisticRegression(C=1.0, max_iter=200).fit(x, y)
mlflow.sklearn.autolog(disable=True)

with mlflow.start_run(run_name="parent"):
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("depth", 2)

client = mlflow.MlflowClient()
back = client.get_run(run.info.run_id)
history = client.get_metric_history(run.info.run_id, "loss")
found = mlflow.search_runs(experiment_names=["iris"], filter_string="metrics.accuracy > 0.5 and params.solver = 'lbfgs'", output_format="list")
reloaded = mlflow.sklearn.load_model(logged.model_uri)
print(json.dumps({
    "run_id": run.info.run_id,
    "auto_id": auto.info.run_id,
    "child_parent": client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"],
    "params": back.data.params,
    "metrics": {k: repr(v) for k, v in back.data.metrics.items()},
    "tags": {k: v for k, v in back.data.tags.items() if not k.startswith("mlflow.")},
    "status": back.info.status,
    "history": [[m.step, m.value] for m in history],
    "found": [r.info.run_name for r in found],
    "artifacts": sorted(a.path for a in client.list_artifacts(run.info.run_id)),
    "classes": mlflow.artifacts.load_dict(back.info.artifact_uri + "/classes.json"),
    "auto_params": len(client.get_run(auto.info.run_id).data.params),
    "auto_metrics": sorted(client.get_run(auto.info.run_id).data.metrics),
    "auto_model": len(client.search_logged_models(experiment_ids=[back.info.experiment_id])),
    "inputs": [d.dataset.name for d in back.inputs.dataset_inputs],
    "reloaded": bool((reloaded.predict(xt) == model.predict(xt)).all()),
}))
