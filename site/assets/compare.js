// The compare page: picks, filters and redraws what its tables already say. Without it the tables say all of it.
"use strict";
(() => {
  const sections = [...document.querySelectorAll(".compare")];
  if (!sections.length) return;
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (name, set, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(set)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const make = (name, set = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(set)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  function section(box) {
    const titleOf = new Map(Object.entries(JSON.parse(box.dataset.titles)));
    const costs = box.querySelector(".costs"), rows = [...costs.tBodies[0].rows];
    const metrics = [...costs.tHead.rows[0].cells].slice(1).map((cell) => ({ id: cell.dataset.metric, title: cell.textContent }));
    const methods = rows.map((row) => ({
      slug: row.dataset.slug, name: row.cells[0].textContent, kind: row.dataset.kind, labels: row.dataset.labels.trim().split(/\s+/),
      all: [...box.querySelectorAll(`tr[data-slug="${CSS.escape(row.dataset.slug)}"]`)],
      cells: Object.fromEntries([...row.cells].slice(1).map((cell, n) => [metrics[n].id, cell.dataset.mean === undefined ? null
        : { mean: +cell.dataset.mean, low: +cell.dataset.low, high: +cell.dataset.high }])),
    }));
    const facets = new Map();
    for (const label of methods.flatMap((method) => method.labels).filter(Boolean)) {
      const facet = label.split(":", 1)[0];
      facets.set(facet, (facets.get(facet) ?? new Set()).add(label));
    }

    // -- controls ------------------------------------------------------------------------------------
    const controls = {};
    const select = (name, label, choices) => {
      controls[name] = make("select", {}, ...choices.map(([value, text]) => make("option", { value }, text)));
      controls[name].addEventListener("input", changed);
      return make("label", {}, make("span", {}, label), controls[name]);
    };
    const form = make("form", { "aria-label": "What is compared" });
    form.append(select("x", "Cost", metrics.filter(({ id }) => id !== "accuracy" && methods.some((m) => m.cells[id]?.mean)).map(({ id, title }) => [id, title])));
    for (const [facet, labels] of [...facets].sort()) {
      const choices = [...labels].map((label) => [label, titleOf.get(label.split(":")[1]) ?? label]).sort((a, b) => a[1] < b[1] ? -1 : 1);
      form.append(select(facet, titleOf.get(facet) ?? facet, [["", "any"], ...choices]));
    }
    const boxes = new Map(methods.map((method) => {
      const tick = make("input", { type: "checkbox" });
      tick.checked = true;
      tick.addEventListener("input", changed);
      return [method.slug, tick];
    }));
    const all = make("button", { type: "button" }, "All"), none = make("button", { type: "button" }, "None but the baselines");
    const tickAll = (wanted) => { for (const method of methods) boxes.get(method.slug).checked = wanted(method); changed(); };
    all.addEventListener("click", () => tickAll(() => true));
    none.addEventListener("click", () => tickAll((method) => method.kind === "baseline"));
    form.append(make("fieldset", {}, make("legend", {}, "Methods"), all, none,
      ...methods.map((method) => make("label", { class: "tick" }, boxes.get(method.slug), method.name))));
    form.addEventListener("submit", (event) => event.preventDefault());
    const status = make("p", { role: "status", class: "found" });
    const figure = box.querySelector(".plot"), caption = figure.querySelector("figcaption");
    box.prepend(form, status);

    // -- the view is the address -----------------------------------------------------------------------
    const prefix = `${box.id}.`;
    let saving;
    function changed() {
      show();
      clearTimeout(saving);
      saving = setTimeout(() => {
        const said = new URLSearchParams(location.hash.slice(1));
        for (const name of [...said.keys()]) if (name.startsWith(prefix)) said.delete(name);
        for (const [name, control] of Object.entries(controls)) if (control.value && control.selectedIndex) said.set(prefix + name, control.value);
        const picked = methods.filter((method) => boxes.get(method.slug).checked).map((method) => method.slug);
        if (picked.length < methods.length) said.set(`${prefix}methods`, picked.join(","));
        history.replaceState(null, "", `#${said}`);
      }, 300);
    }
    function restore() {
      const said = new URLSearchParams(location.hash.slice(1)), picked = said.get(`${prefix}methods`)?.split(",");
      for (const [name, control] of Object.entries(controls)) {
        const wanted = said.get(prefix + name);
        control.selectedIndex = Math.max(0, [...control.options].findIndex((option) => option.value === wanted));
      }
      for (const method of methods) boxes.get(method.slug).checked = !picked || picked.includes(method.slug);
      show();
    }

    function show() {
      const wanted = [...facets.keys()].map((facet) => controls[facet].value).filter(Boolean);
      const shown = methods.filter((method) => boxes.get(method.slug).checked
        && (method.kind === "baseline" || wanted.every((label) => method.labels.includes(label))));
      for (const method of methods) for (const row of method.all) row.hidden = !shown.includes(method);
      status.textContent = `${shown.length} of ${methods.length} methods`;
      const metric = metrics.find(({ id }) => id === controls.x.value);
      for (const [size, width, height] of [["wide", 720, 400], ["narrow", 344, 340]]) {
        figure.querySelector(`svg.${size}`)?.remove();
        caption.before(chart(shown, metric, size, width, height));
      }
    }
    window.addEventListener("hashchange", restore);
    restore();
  }

  // -- the drawing: the same marks, classes and margins as the charts that come with the pages -----------------------------
  function chart(methods, metric, size, width, height) {
    const found = methods.map((m) => ({ ...m, x: m.cells[metric.id], y: m.cells.accuracy })).filter((m) => m.x && m.y);
    // What costs far more than every baseline stands at the right edge with its cost, so that it does not press all others together.
    const reach = 1.5 * Math.max(0, ...found.filter((p) => p.kind === "baseline").map((p) => p.x.mean)) || Infinity;
    const points = found.map((p) => (p.x.mean > reach ? { ...p, name: `${p.name}: ${short(p.x.mean)} →` } : p));
    const within = Math.max(...points.filter((p) => p.x.mean <= reach).map((p) => p.x.high), 0);
    const left = 44, right = width - 22, top = 28, bottom = height - 42;
    const rough = Math.max(within, 1e-9) / (width > 500 ? 6 : 4);
    const power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
    const end = Math.max(step, Math.ceil(within * 1.02 / step) * step);
    const atX = (value) => left + (right - left) * Math.min(value, end) / end, atY = (value) => bottom - (bottom - top) * value;
    const svg = draw("svg", { class: `chart ${size}`, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Accuracy against ${metric.title}, ${points.length} methods; the table below has the numbers` });
    const grid = draw("g", { class: "grid" });
    for (let percent = 0; percent <= 100; percent += 20) {
      grid.append(draw("path", { d: `M${left} ${atY(percent / 100)}H${right}` }), draw("text", { x: left - 8, y: atY(percent / 100) + 4, "text-anchor": "end" }, percent));
    }
    for (let n = 0; n * step <= end * 1.001; n++) {
      grid.append(draw("path", { d: `M${atX(n * step)} ${bottom}v5` }), draw("text", { x: atX(n * step), y: bottom + 19, "text-anchor": "middle" }, short(n * step)));
    }
    grid.append(draw("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, metric.title));
    svg.append(grid);
    const best = [];
    for (const p of [...points].sort((a, b) => a.x.mean - b.x.mean || b.y.mean - a.y.mean)) if (!best.length || p.y.mean > best.at(-1).y.mean) best.push(p);
    if (best.length) {
      const corners = best.flatMap((p, n) => [...(n ? [[p.x.mean, best[n - 1].y.mean]] : []), [p.x.mean, p.y.mean]]);
      corners.push([end, best.at(-1).y.mean]);
      svg.append(draw("path", { class: "frontier", d: `M${corners.map(([x, y]) => `${atX(x)} ${atY(y)}`).join("L")}` }));
    }
    const taken = [];
    for (const p of points) {
      const x = atX(p.x.mean), y = atY(p.y.mean), mark = draw("g", { class: `mark ${p.kind}` });
      mark.append(draw("title", {}, `${p.name}: ${(100 * p.y.mean).toFixed(1)} % at ${short(p.x.mean)} (${metric.title})`),
        draw("path", { class: "bar", d: `M${x} ${atY(p.y.low)}V${atY(p.y.high)}M${atX(p.x.low)} ${y}H${atX(p.x.high)}` }));
      if (p.kind === "baseline") mark.append(draw("rect", { x: x - 5, y: y - 5, width: 10, height: 10 }));
      else if (p.kind === "implicit") mark.append(draw("path", { class: "shape", d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` }));
      else mark.append(draw("circle", { cx: x, cy: y, r: 5.5 }));
      // Where there are many, only what lies on the frontier and the baselines is named; the rest says its name when pointed at.
      if (points.length <= 14 || best.includes(p) || p.kind === "baseline") {
        const wide = p.name.length * 8 + 6, amid = Math.max(Math.min(x - wide / 2, width - 2 - wide), left);
        const spots = [9, 20, 32, 46, 64, 84, 108].flatMap((far) => [
          [x + far, y + 4], [x - far - wide, y + 4], [amid, y - far], [amid, y + far + 10],
          [x + far, y + 4 - far], [x + far, y + 4 + far], [x - far - wide, y + 4 - far], [x - far - wide, y + 4 + far]]);
        const free = spots.find(([a, b]) => a >= left && a + wide <= width && b > 12 && b < bottom
          && taken.every((box) => a + wide < box[0] || a > box[2] || b < box[1] || b - 14 > box[3])
          && points.every((q) => atX(q.x.mean) < a - 6 || atX(q.x.mean) > a + wide + 6 || atY(q.y.mean) < b - 18 || atY(q.y.mean) > b + 6));
        if (free) {
          taken.push([free[0], free[1] - 14, free[0] + wide, free[1]]);
          const toX = Math.min(Math.max(x, free[0]), free[0] + wide), toY = Math.min(Math.max(y, free[1] - 14), free[1]);
          if (Math.hypot(toX - x, toY - y) > 14) mark.append(draw("path", { class: "leader", d: `M${x} ${y}L${toX} ${toY}` }));
          mark.append(draw("text", { x: free[0], y: free[1] }, p.name));
        }
      }
      svg.append(mark);
    }
    return svg;
  }
  const short = (value) => {
    for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (Math.abs(value) >= size) return `${+(value / size).toPrecision(3)} ${letter}`;
    return `${+value.toPrecision(3)}`;
  };

  sections.forEach(section);
})();
