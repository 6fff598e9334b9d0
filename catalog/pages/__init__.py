"""The site: text that came from anywhere, made safe (`inline`), laid out (`render`, `charts`) and built (`build`, `csp`)."""
