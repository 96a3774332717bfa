"""The template of a validation report."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ report.suite }}</title>
<style>
:root { color-scheme: light dark; --line: #8884; --bad: #c0392b; --warn: #b9770e; --good: #1e8449; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
td.mark { font-weight: 600; white-space: nowrap; }
.ok td.mark, .passed { color: var(--good); }
.warning td.mark { color: var(--warn); }
.FAILED td.mark, .refused { color: var(--bad); }
summary { cursor: pointer; }
code { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{ report.suite }}</h1>
{% set verdict = 'passed' if report.passed else 'refused' %}
<p><strong class="{{ verdict }}">{{ verdict | capitalize }}</strong>:
{{ report.rows }} rows, {{ report.findings | length }} expectations,
{{ report.failures | length }} failed, {{ report.warnings | length }} warnings.</p>
<table>
<thead><tr><th></th><th>Column</th><th>Expectation</th><th>Failing</th><th>Rows</th></tr></thead>
<tbody>
{% for finding in report.findings %}
<tr class="{{ mark(finding) }}">
<td class="mark">{{ mark(finding) }}</td>
<td><code>{{ finding.column }}</code></td>
<td>{{ finding.expectation }}</td>
<td>{{ seen(finding) }}</td>
<td>{% if finding.rows %}<details><summary>first {{ finding.rows | length }}</summary>
{% for row in finding.rows %}<code>{{ row }}</code><br>{% endfor %}</details>{% endif %}</td>
</tr>
{% endfor %}
</tbody>
</table>
</body>
</html>
"""
