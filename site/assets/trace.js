// The traces on a method's page, played: both sides advance together, a position at a time, and the table counts along.
// Without it the whole of both stands there.
"use strict";
for (const box of document.querySelectorAll(".trace")) {
  const sides = [...box.querySelectorAll(".tokens")].map((side) => [...side.querySelectorAll(".piece")]);
  const rows = [...box.querySelectorAll("tr[data-kind]")].map((row) => ({ kind: row.dataset.kind, cells: [...row.querySelectorAll("data")] }));
  const length = Math.max(...sides.map((pieces) => pieces.length));
  const PER_SECOND = 12;
  const make = (name, set, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(set)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const button = (text, act) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };

  let at = length, timer = 0;
  function show(position) {
    at = Math.max(0, Math.min(length, position));
    for (const pieces of sides) pieces.forEach((piece, n) => piece.classList.toggle("later", n >= at));
    for (const { kind, cells } of rows) {
      cells.forEach((cell, n) => {
        const past = sides[n].slice(0, at);
        cell.textContent = kind ? past.filter((piece) => piece.classList.contains(kind)).length : past.length;
      });
    }
    slider.value = at;
    slider.setAttribute("aria-valuetext", `position ${at} of ${length}`);
    said.textContent = `${at} of ${length}`;
    back.disabled = at === 0;
    on.disabled = at === length;
    if (at === length) stop();
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }
  function toggle() {
    if (timer) return stop();
    if (at === length) show(0);
    timer = setInterval(() => show(at + 1), 1000 / PER_SECOND);
    play.textContent = "Pause";
  }
  const step = (by) => () => { stop(); show(at + by); };
  const play = button("Play", toggle), back = button("Back", step(-1)), on = button("Forward", step(1));
  const slider = make("input", { type: "range", min: 0, max: length, step: 1, value: length, "aria-label": "Position in both traces" });
  slider.addEventListener("input", () => { stop(); show(+slider.value); });
  const said = make("span", { class: "at" });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const calm = () => { play.hidden = still.matches; if (still.matches) stop(); }; // then it moves by hand alone
  still.addEventListener("change", calm);
  calm();
  box.querySelector(".problem").after(make("div", { class: "player", role: "group", "aria-label": "Play the traces" }, play, back, slider, on, said));
  show(length);
}
