// What HTML and htmx cannot say; there is no other script on a page.
(() => {
  "use strict";

  // A phrase is put where the cursor is, so that it can be changed before it is sent.
  const insert = (field, words) => {
    const start = field.selectionStart ?? field.value.length;
    field.setRangeText(words, start, field.selectionEnd ?? start, "end");
    field.focus();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-phrase]");
    if (!button) return;
    const field = document.getElementById(button.dataset.into);
    if (field) insert(field, button.dataset.phrase);
  });

  // Ctrl+Enter (or the command key) sends, as sellers know it; Enter alone makes a new line.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = event.target.closest("form[data-quick]");
    if (form) form.requestSubmit();
  });

  // The newest line of a conversation is the one to be seen.
  const toEnd = () => {
    const lines = document.getElementById("lines");
    if (lines) lines.scrollTop = lines.scrollHeight;
  };
  let atEnd = true;
  document.addEventListener("scroll", (event) => {
    if (event.target.id !== "lines") return;
    const { scrollTop, scrollHeight, clientHeight } = event.target;
    atEnd = scrollHeight - scrollTop - clientHeight < 80;
  }, true);
  document.addEventListener("DOMContentLoaded", toEnd);
  document.addEventListener("htmx:after:swap", () => { if (atEnd) toEnd(); });

  // What was sent is gone from its field; what was refused stays there.
  document.addEventListener("htmx:after:request", (event) => {
    const ctx = event.detail.ctx;
    const form = ctx.sourceElement?.closest?.("form[data-quick]");
    if (form && ctx.response?.status < 400) {
      form.reset();
      atEnd = true;
    }
  });
})();
