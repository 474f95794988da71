"""Strings that YAML 1.1, YAML 1.2 or a hasty writer take for something else."""

from __future__ import annotations

STRINGS = [
    'y', 'n', 'Y', 'N', 'yes', 'no', 'Yes', 'NO', 'on', 'off', 'On', 'OFF', 'true', 'false', 'True', 'FALSE',
    'null', 'Null', 'NULL', '~', 'nan', '.nan', '.NaN', '.inf', '-.inf', 'inf', 'Infinity', '-', '--', '---',
    '...', '.', '..', '1', '-1', '+1', '0', '00', '01', '0o7', '0x1F', '0b11', '1_000', '1__0', '1e3', '1E3',
    '1e+3', '1.5e3', '1.', '.5', '-.5', '+.5', '._1', '12:30', '1:2:3', '190:20:30.15', '2024-01-01',
    '2024-1-1', '2024-01-01T00:00:00Z', '2001-12-14t21:59:43.10-05:00', '3f9c2d71', '34e92711', '12345678',
    '0644', '<<', '=', '!', '&', '*', '|', '>', '%', '@', '`', "'", '"', '#', ':', ',', '[', ']', '{', '}',
    '?', '\\', 'a:', 'a:b', ':a', 'a#', 'a#b', '#a', '{{x}}', '{{=1+1}}', '[a]', '{a}', 'a,b', "'a'", '"a"',
    "a'b", 'a"b', '%a', '@a', '`a', '!!str', '&a', '*a', '?a', '-a', '0.0.0.0', '1.2.3', 'v1.2', '1a', 'a1',
    '_', '_1', '1_', '', ' ', '  ', ' a', 'a ', 'a b', 'a  b', 'a: b', 'a :b', 'a #b', 'a # b', '- a', '? a',
    ': a', 'a\nb', 'a\n', '\n', '\ta', 'a\tb', 'a\r\nb', '0 2 * * *', '@daily', 'Trains a model.',
    "x" * 2000, "x " * 1000, "'" * 300, '\x00', '\x07', '\x1b[0m', '\x7f', '\x80', '\x85', 'a\x85b', '\xa0',
    'a\xa0', 'é', 'Größe', '日本語', '\u2028', 'a\u2029b', '\ufeff', '\ufeffa', '�', '\ufffe', '\uffff', '😀',
    '😀: 1', '\U0010ffff', '\U0001fffe', '\u200b', '\u202e', '\U000e0041', '\u3000', '{"a":"{{x}}"}', '"eu"',
    '9007199254740993', '1.0', 'flows.penguins:load', '${HOME}', 'key: [a, b]', '{a: 1}', 'a\\nb', '\\u007b',
    '--- a', 'a\n--- b', '!!binary x', 'a, b', 'a]', 'a}', '100%', 'a::', '::', 'a: ', 'C:\\x',
]  # fmt: skip

CHANGED_BY_KUSTOMIZE = [text for text in STRINGS if any("\x7f" <= c <= "\x9f" or c in "\ufffe\uffff" for c in text)]
KEPT_BY_KUSTOMIZE = [text for text in STRINGS if text not in CHANGED_BY_KUSTOMIZE]
