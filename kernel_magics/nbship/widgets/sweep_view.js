// The results of a sweep: what Python wrote as HTML, with rows and lines that light up together.
function light(el, number, isOn) {
  if (!number) return;
  for (const shape of el.querySelectorAll(`.sw-chart [data-row="${number}"]`)) {
    shape.classList.toggle("sw-lit", isOn);
  }
}

function rowOf(target) {
  return target instanceof Element ? target.closest("[data-row]")?.dataset.row : undefined;
}

function render({ model, el }) {
  const draw = () => {
    el.innerHTML = model.get("html");
  };
  const enter = (event) => light(el, rowOf(event.target), true);
  const leave = (event) => light(el, rowOf(event.target), false);
  draw();
  el.addEventListener("mouseover", enter);
  el.addEventListener("mouseout", leave);
  model.on("change:html", draw);
  return () => {
    model.off("change:html", draw);
    el.removeEventListener("mouseover", enter);
    el.removeEventListener("mouseout", leave);
  };
}

export default { render };
