"use strict";
// Warns a reader whose clock says that this copy of the site is older than arXiv's calendar allows. A site that nobody builds
// any more cannot say so itself; its last pages can. Days are UTC throughout, as in catalog/announcements.py.

const DAY = 24 * 60 * 60 * 1000;

// How many days after `after`, up to and with `through`, brought papers: each comes of the mailing of the evening before.
// Takes times of UTC midnights in ms and a Set of the evenings without a mailing. The rule of catalog/announcements.py.
function announcementDays(after, through, holidays) {
  let days = 0;
  for (let evening = after; evening < through; evening += DAY) {
    const weekday = new Date(evening).getUTCDay();
    if (weekday !== 5 && weekday !== 6 && !holidays.has(evening)) days += 1;
  }
  return days;
}

{
  const box = document.getElementById("stale");
  const holidays = new Set(box.dataset.holidays.split(" ").map(Date.parse));
  const today = Math.floor(Date.now() / DAY) * DAY;
  const since = (day) => announcementDays(Date.parse(day), today, holidays);

  const warn = (text) => {
    const line = document.createElement("p");
    const more = document.createElement("a");
    more.href = box.dataset.more;
    more.textContent = "How fresh each source is";
    line.append(text, " ", more);
    box.append(line);
  };
  const { newest, by, limit } = box.dataset;
  if (!by) warn("No paper here has been seen at arXiv yet.");
  else if (since(by) >= Number(limit)) {
    warn(`This copy may be out of date: its newest paper is from ${newest}, and arXiv has announced papers on ${since(by)} days since.`);
  }

  // The freshness page: how long ago each source last brought something.
  for (const cell of document.querySelectorAll("[data-since]")) {
    const days = since(cell.dataset.since);
    const late = days >= Number(cell.dataset.limit || Infinity);
    const words = document.createElement("span");
    words.className = late ? "since overdue" : "since";
    words.textContent = `${late ? "overdue: " : ""}${days || "no"} announcement ${days === 1 || !days ? "day" : "days"} since`;
    cell.after(" ", words);
  }
}
