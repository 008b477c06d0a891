// The state of a run and the line of each metric, redrawn when the kernel sends a new state.
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 48;
const PAD = 4;

function share(value, low, high) {
  return high === low ? 0.5 : (value - low) / (high - low);
}

function places(points) {
  const steps = points.map((p) => p[0]);
  const values = points.map((p) => p[1]);
  const [left, right] = [Math.min(...steps), Math.max(...steps)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return points.map(([step, value]) => [
    PAD + share(step, left, right) * (WIDTH - 2 * PAD),
    PAD + (1 - share(value, low, high)) * (HEIGHT - 2 * PAD),
  ]);
}

function line(points, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("width", WIDTH);
  svg.setAttribute("height", HEIGHT);
  const at = places(points);
  const shape = document.createElementNS(SVG, at.length === 1 ? "circle" : "polyline");
  if (at.length === 1) {
    shape.setAttribute("cx", at[0][0]);
    shape.setAttribute("cy", at[0][1]);
    shape.setAttribute("r", 3);
  } else {
    shape.setAttribute("points", at.map((p) => p.join(",")).join(" "));
  }
  svg.append(shape);
  return svg;
}

function row(name, text) {
  const tr = document.createElement("tr");
  const th = document.createElement("th");
  th.scope = "row";
  th.textContent = name;
  const td = document.createElement("td");
  td.textContent = text;
  tr.append(th, td);
  return tr;
}

function figure({ name, points, label, last }) {
  const frame = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = `${name} ${last}`;
  frame.append(line(points, label), caption);
  return frame;
}

function render({ model, el }) {
  el.classList.add("nbship-run-view");
  const draw = () => {
    const { rows = [], series = [] } = model.get("state");
    const table = document.createElement("table");
    table.append(...rows.map(([name, text]) => row(name, text)));
    el.replaceChildren(table, ...series.map(figure));
  };
  draw();
  model.on("change:state", draw);
  return () => model.off("change:state", draw);
}

export default { render };
