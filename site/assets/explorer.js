// The papers page: search, labels, sort and permalinks over all papers, in the reader's own browser.
// Titles and names are strangers' text: they only ever become text nodes.
"use strict";
// Loaded on every page; it wakes where there is an explorer.
(async () => {
  const box = document.getElementById("explorer");
  if (!box) return;
  const load = (source) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = source;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  await load("explorer-data.js");
  const data = window.laconic.papers;
  const { columns, lists, tags, titles, facets } = data;
  const count = columns.key.length, PAGE = 40;
  const place = new Map(columns.key.map((key, n) => [key, n]));
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = columns.title.map((title, n) => plain(`${title} ${columns.by[n]} ${columns.key[n]} ${columns.slug[n]}`));
  const orders = {
    newest: columns.key.map((_, n) => n), // the file is written newest first
    oldest: columns.key.map((_, n) => count - 1 - n),
    title: columns.key.map((_, n) => n).sort((a, b) => words[a] < words[b] ? -1 : words[a] > words[b] ? 1 : a - b),
    lists: columns.key.map((_, n) => n).sort((a, b) => columns.lists[b].length - columns.lists[a].length || a - b),
  };
  let state = {}, found = [], shown = 0;

  const make = (name, set = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(set)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const outward = (url, text) => /^https:\/\//.test(url) ? make("a", { href: url, rel: "noreferrer" }, text) : document.createTextNode(text);

  // -- the form ------------------------------------------------------------------------------------
  const field = (name, label, control) => {
    control.id = `explorer-${name}`;
    control.addEventListener("input", () => change({ [name]: control.value }));
    return make("label", { for: control.id }, make("span", {}, label), control);
  };
  const select = (choices) => make("select", {}, ...choices.map(([value, text]) => make("option", { value }, text)));
  const used = new Map(); // facet → its tags that some paper has
  tags.forEach((name) => {
    const facet = name.split(":", 1)[0];
    used.set(facet, [...(used.get(facet) ?? []), name]);
  });
  const controls = {
    q: make("input", { type: "search", placeholder: "words of a title, a name, an id", autocomplete: "off", spellcheck: "false" }),
    list: select([["", "any or none"], ...lists.map((name) => [name, name]).sort()]),
    state: select([["", "all"], ["confirmed", "seen at arXiv"], ["listed", "known from lists alone"], ["withdrawn", "withdrawn"]]),
    sort: select([["newest", "newest"], ["oldest", "oldest"], ["title", "title"], ["lists", "most lists"]]),
  };
  const form = make("form", { role: "search", "aria-label": "Papers" }, field("q", "Find", controls.q));
  for (const [facet, names] of [...used].sort()) {
    controls[facet] = select([["", "any"], ...names.map((name) => [name, titles[name]]).sort((a, b) => a[1] < b[1] ? -1 : 1)]);
    form.append(field(facet, facets[facet] ?? facet, controls[facet]));
  }
  form.append(field("list", "Named by", controls.list), field("state", "Status", controls.state), field("sort", "Order", controls.sort));
  form.addEventListener("submit", (event) => event.preventDefault());
  const status = make("p", { role: "status", class: "found" });
  const results = make("ol", { class: "papers results" });
  const more = make("button", { type: "button", class: "md-button" }, "More");
  more.addEventListener("click", () => show());
  box.append(form, status, results, more);

  // -- the state is the address: #q=latent&form=form:implicit ----------------------------------------------
  const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const address = (next) => {
    const kept = Object.entries(next).filter(([name, value]) => value && controls[name] && !(name === "sort" && value === "newest"));
    return `#${new URLSearchParams(kept)}`;
  };
  let saving;
  function change(part) {
    state = { ...state, ...part };
    delete state.paper;
    search();
    clearTimeout(saving); // browsers limit how often an address may change
    saving = setTimeout(() => { if (location.hash !== address(state)) history.replaceState(null, "", address(state)); }, 300);
  }

  function search() {
    const wanted = plain(state.q ?? "").split(/\s+/).filter(Boolean);
    const list = lists.indexOf(state.list ?? "");
    const labels = [...used.keys()].map((facet) => tags.indexOf(state[facet] ?? "")).filter((n) => n >= 0);
    found = (orders[state.sort] ?? orders.newest).filter((n) =>
      (!state.paper || columns.key[n] === state.paper)
      && (!state.list || columns.lists[n].includes(list))
      && (!state.state || columns.state[n] === state.state)
      && labels.every((label) => columns.tags[n].includes(label))
      && wanted.every((word) => words[n].includes(word)));
    results.replaceChildren();
    shown = 0;
    show();
    status.textContent = found.length === count ? `${count} papers` : `${found.length} of ${count} papers`;
  }

  function show() {
    results.append(...found.slice(shown, shown + PAGE).map(row));
    shown = Math.min(shown + PAGE, found.length);
    more.hidden = shown === found.length;
  }

  function row(n) {
    const key = columns.key[n], year = columns.month[n].slice(0, 4) || "undated";
    const anchor = `p-${[...key].map((letter) => /[\p{L}\p{N}]/u.test(letter) ? letter : "-").join("")}`;
    const item = make("li", {}, make("cite", {}, make("a", { href: `${year}.html#${anchor}` }, columns.title[n])));
    if (columns.slug[n]) item.append(" ", make("a", { class: "chip", href: `../methods/${columns.slug[n]}.html` }, columns.slug[n]));
    if (columns.state[n] === "withdrawn") item.append(" ", make("span", { class: "chip plain" }, "withdrawn"));
    const by = make("p", {}, make("a", { class: "id", href: `#paper=${encodeURIComponent(key)}` }, key.startsWith("title-") ? "no arXiv id" : key));
    if (columns.state[n] === "listed") by.append(" ", make("span", { class: "chip plain" }, "known from lists alone"));
    if (columns.by[n]) by.append(" ", make("span", { class: "by" }, columns.by[n]));
    const all = make("details", {}, make("summary", {}, "All that is known"));
    all.addEventListener("toggle", () => { if (all.open && all.childElementCount === 1) details(n, year, all); });
    item.append(by, all);
    if (state.paper) all.open = true;
    return item;
  }

  // -- details of one paper, a file a year ------------------------------------------------------------------------
  const loading = new Map();
  const detailsOf = (year) => {
    if (!loading.has(year)) {
      loading.set(year, load(`details-${year}.js`).then(() => window.laconic[`details-${year}`]));
    }
    return loading.get(year);
  };

  async function details(n, year, into) {
    const key = columns.key[n];
    let known;
    try {
      known = (await detailsOf(year))[key] ?? {};
    } catch {
      loading.delete(year);
      into.append(make("p", {}, "The details could not be loaded."));
      return;
    }
    const facts = make("dl", { class: "facts" });
    const fact = (name, ...value) => facts.append(make("dt", {}, name), make("dd", {}, ...value));
    if (known.url) fact("Read it", outward(known.url, known.url.replace("https://", "")));
    if (known.code) fact("Code, says a list", outward(known.code, known.code.replace("https://", "")));
    if (known.authors) fact("Authors", known.authors.join(", "));
    if (known.former) fact("Formerly", ...known.former.flatMap((title) => [make("cite", {}, title), make("br")]));
    if (known.versions) fact("Versions", known.versions.map(([number, day]) => `${number} of ${day}`).join(", "));
    for (const label of known.labels ?? []) {
      fact(facets[label.facet] ?? label.facet, titles[`${label.facet}:${label.tag}`], ` (${label.curated ? "set by people" : "found by machine"})`);
    }
    if (known.listings) {
      fact("Named by", ...known.listings.map((listing) => {
        const line = make("p", listing.gone ? { class: "gone" } : {}, make("b", {}, listing.list), ` ${listing.section}`);
        if (listing.printed) line.append(make("br"), "printed as ", make("cite", {}, listing.printed));
        if (listing.gone) line.append(make("br"), "no longer in that list");
        if (listing.defects.length) line.append(make("br"), `defects: ${listing.defects.join(", ").replaceAll("_", " ")}`);
        return line;
      }));
    }
    if (known.similar) {
      fact("Similar", ...known.similar.map(([other, title]) => make("p", {}, make("a", { href: `#paper=${encodeURIComponent(other)}` }, title))));
    }
    const record = make("pre", { tabindex: "0" }, known.bibtex);
    const copy = make("button", { type: "button" }, "Copy BibTeX");
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(known.bibtex);
        copy.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(record); // where a page may not write to the clipboard, a reader still can
      }
    });
    fact("Cite", record, copy);
    into.append(facts);
  }

  function restore() {
    state = read();
    if (state.paper && !place.has(state.paper)) delete state.paper;
    for (const [name, control] of Object.entries(controls)) control.value = state[name] ?? (name === "sort" ? "newest" : "");
    search();
  }
  window.addEventListener("hashchange", restore);
  box.hidden = false;
  restore();
})();
