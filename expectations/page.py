"""The template of the page that shows all validations of a run: readable on a phone, nothing loaded from elsewhere."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --bad: #c0392b; --warn: #a9660b; --good: #1e8449; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff7b6b; --warn: #f0b45a; --good: #5fcf8b; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem; border-top: 2px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
ul { list-style: none; margin: 0; padding: 0; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.note { opacity: .75; margin: .2rem 0; }
.index a { display: flex; flex-wrap: wrap; gap: .2rem .8rem; padding: .55rem .2rem; color: inherit;
 text-decoration: none; border-bottom: 1px solid var(--line); }
.index a span:last-child { margin-left: auto; }
.rule { padding: .5rem .7rem; margin: .4rem 0; border-left: 4px solid var(--line); background: var(--soft); }
.rule.failed { border-color: var(--bad); }
.rule.warned { border-color: var(--warn); }
.passed { color: var(--good); font-weight: 600; }
.refused { color: var(--bad); font-weight: 600; }
.warns { color: var(--warn); font-weight: 600; }
.rows { margin: .4rem 0 0; }
.rows li { display: flex; flex-wrap: wrap; gap: 0 .8rem; padding: .25rem 0; border-top: 1px solid var(--line); }
.rows li span { opacity: .8; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .4rem 0; }
</style>
</head>
<body>
{% macro verdict(passed) %}{% set word = 'passed' if passed else 'refused' %}
<strong class="{{ word }}">{{ word }}</strong>{% endmacro %}
{% macro rule(finding, kind) %}
<li class="rule {{ kind }}"><code>{{ finding.column }}</code> {{ finding.expectation }}
{% if not finding.passed %}
{% set word = 'failed' if kind == 'failed' else 'warning' %}
<br><span class="{{ 'refused' if kind == 'failed' else 'warns' }}">{{ word }}</span>:
{{ finding.count ~ (' row' if finding.count == 1 else ' rows') if finding.count is not none else finding.observed }}
{% if finding.rows %}
<ul class="rows">
{% for row, reason in finding.listed() %}
<li><code>{{ row }}</code>{% if reason %}<span>{{ reason }}</span>{% endif %}</li>
{% endfor %}
</ul>
{% if finding.count and finding.count > finding.rows | length %}
<p class="note">and {{ finding.count - finding.rows | length }} more</p>
{% endif %}
{% endif %}
{% endif %}
</li>
{% endmacro %}
<h1>{{ title }}</h1>
<nav class="index" aria-label="Index">
{% for validation in validations %}
<a href="#{{ validation.topic }}"><strong>{{ validation.topic }}</strong><span>{{ validation.about }}</span>
{% set warned = validation.reports | map(attribute='warnings') | map('length') | sum %}
<span>{{ verdict(validation.passed) }}
{% if warned %}<span class="warns">{{ warned }} to look at</span>{% endif %}</span></a>
{% endfor %}
</nav>
{% for validation in validations %}
<section id="{{ validation.topic }}">
<h2>{{ validation.topic }}: {{ verdict(validation.passed) }}</h2>
<p class="note">{{ validation.about }}</p>
{% for report in validation.reports %}
<h3>{{ report.suite }}</h3>
<p class="note">{{ report.rows }} rows: {{ report.held | length }} of
{{ report.findings | length }} expectations hold</p>
<ul>
{% for finding in report.failures %}{{ rule(finding, 'failed') }}{% endfor %}
{% for finding in report.warnings %}{{ rule(finding, 'warned') }}{% endfor %}
</ul>
{% if report.held %}
<details><summary>What holds</summary>
<ul>{% for finding in report.held %}{{ rule(finding, 'holds') }}{% endfor %}</ul>
</details>
{% endif %}
{% endfor %}
</section>
{% endfor %}
</body>
</html>
"""
