"""Titles that strangers might send."""

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{: onmouseover=alert(1) } *bold* _it_ `code`",
    "[click](javascript:alert(1)) ![i](https://tracker.example/x.png)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# Heading",
    "1. item",
    "- item\n\n    code\n\n## injected {: #top }",
    "{{ 7 * 7 }} {% raw %}",
    "--8<-- 'secret' <div markdown>*x*</div>",
    "</title><script>alert(2)</script>",
    "a | b | c :smile: ~~x~~ ^[note] [^1] ==m==",
    "Solving <answer> tags & more \\(x^2\\) $y$",
]
