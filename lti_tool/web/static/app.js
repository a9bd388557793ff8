// The few things that a page does by itself; everything works without them too.
(() => {
  "use strict";

  // The answer to a launch is its page: loaded again, the page is asked for, not the launch.
  const address = document.body.dataset.address;
  if (address) window.history.replaceState(null, "", address);

  // A platform that listens makes the frame as tall as the page; one that does not ignores it.
  const reportHeight = () => {
    if (window.parent === window) return;
    const height = document.documentElement.scrollHeight;
    window.parent.postMessage(JSON.stringify({ subject: "lti.frameResize", height }), "*");
  };

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      said.textContent = button.dataset.done;
    } catch {
      // In a frame the browser may refuse; then it is at least selected.
      window.getSelection().selectAllChildren(source);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(button);
    const all = event.target.closest("input[data-check-all]");
    if (all) {
      document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach((box) => {
        box.checked = all.checked;
      });
    }
  });

  // One click, one push.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.matches("[data-once]")) {
      form.dataset.sent = "yes";
      form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-disabled", "true"));
    }
  });

  // A page that comes back by the browser's own "back" may send its forms again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });

  // A failed refresh must not leave a page that seems to load for ever.
  document.addEventListener("htmx:sendError", (event) => showFailure(event.target));
  const showFailure = (element) => {
    const template = document.getElementById("failed-template");
    const place = element.closest("[data-live]") || element;
    if (template && place) place.replaceChildren(template.content.cloneNode(true));
  };

  // A platform takes an answer only in the frame that it opened. A window that was opened from
  // there, because the browser keeps no cookies in frames, hands its answer back to that page.
  const handBack = (form) => {
    const frame = window.opener;
    if (!frame || window.parent !== window || !form.dataset.handBack) { form.submit(); return; }
    // Whoever opened this window and does not answer was no page of ours.
    const timer = setTimeout(() => form.submit(), 2000);
    window.addEventListener("message", (event) => {
      if (event.source !== frame || event.origin !== window.location.origin) return;
      if (event.data?.subject !== "naga.answer.taken") return;
      clearTimeout(timer);
      form.hidden = true;
      document.getElementById(form.dataset.handBack).hidden = false;
      window.close();
    });
    const answer = { subject: "naga.answer", action: form.action, jwt: form.elements.JWT.value };
    frame.postMessage(answer, window.location.origin);
  };
  window.addEventListener("message", (event) => {
    const platform = document.querySelector("form[data-platform]")?.dataset.platform;
    if (!platform || event.origin !== window.location.origin) return;
    const { subject, action, jwt } = event.data ?? {};
    if (subject !== "naga.answer" || new URL(action).origin !== platform) return;
    const form = document.createElement("form");
    const field = document.createElement("input");
    Object.assign(form, { method: "post", action, hidden: true });
    Object.assign(field, { type: "hidden", name: "JWT", value: jwt });
    form.append(field);
    document.body.append(form);
    event.source.postMessage({ subject: "naga.answer.taken" }, event.origin);
    form.submit();
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form[data-auto-submit]").forEach(handBack);
    reportHeight();
  });
  document.addEventListener("htmx:afterSettle", reportHeight);
  // Where cookies are blocked, pages follow each other without being loaded.
  document.addEventListener("naga:shown", reportHeight);
  // Error pages of partial requests carry the words to show: let htmx put them in.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
