// Leave the frame in which the tool was.
if (window.top !== window) { window.top.location.assign(document.getElementById("return").href); }
