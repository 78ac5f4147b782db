// Decoration only: a ticking countdown and a look for news. Every page says the same and works the same without it.
"use strict";

// The server's clock counts; this machine's is used only to measure how much time has passed since the page came.
const cameAt = performance.now();

function left(element) {
  const atServer = Number(element.dataset.now) + (performance.now() - cameAt);
  return Math.max(0, Math.ceil((Number(element.dataset.until) - atServer) / 1000));
}

function isBeingUsed() {
  const filled = Array.from(document.querySelectorAll("main input, main textarea, main select")).some(
    (field) => field.type !== "hidden" && (field === document.activeElement || field.dataset.touched === "yes"),
  );
  return filled || document.querySelector("[data-keep]") !== null;
}

function offerNews() {
  const news = document.getElementById("news");
  if (!isBeingUsed()) {
    window.location.assign(window.location.href.split("#")[0]);
  } else if (news) {
    news.hidden = false;
  }
}

function tick(element, timer) {
  const seconds = left(element);
  element.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds === 0) {
    clearInterval(timer);
    setTimeout(offerNews, 2000);
  }
}

for (const element of document.querySelectorAll("[data-until]")) {
  if (left(element) > 0) {
    const timer = setInterval(() => tick(element, timer), 1000);
  }
}

document.addEventListener("input", (event) => {
  event.target.dataset.touched = "yes";
});

// A form that only looks (data-repeat seconds) is pressed again by itself.
for (const form of document.querySelectorAll("form[data-repeat]")) {
  setInterval(() => {
    fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Repeated": "yes" }, redirect: "manual" }).catch(() => {});
  }, Number(form.dataset.repeat) * 1000);
}

const watched = document.querySelector("[data-poll]");
if (watched) {
  const timer = setInterval(async () => {
    const answer = await fetch(watched.dataset.poll, { redirect: "error" }).catch(() => null);
    if (answer && answer.ok && (await answer.text()) !== watched.dataset.pulse) {
      clearInterval(timer);
      offerNews();
    }
  }, 5000);
}

// One press is enough: the second click of a double click is swallowed, the server refuses it anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
  } else if (!("again" in form.dataset)) {
    form.dataset.sent = "yes"; // a download leaves the page where it is: its form may be sent again
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});
