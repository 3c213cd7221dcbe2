"""Answers as models print them: name, text, and what is meant. The forms are those of the models' own chat templates."""

from typing import Any

WEATHER = ("get_weather", {"city": "Paris", "days": 3})
PLAIN = ("get_weather", {"city": "Paris"})

CALLS: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "minimax": (
        (
            '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Paris</parameter>\n'
            '<parameter name="days">3</parameter>\n</invoke>\n</minimax:tool_call>'
        ),
        [WEATHER],
    ),
    "minimax, two": (
        (
            '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Paris</parameter>\n</invoke>\n'
            '<invoke name="get_weather">\n<parameter name="city">Rome</parameter>\n</invoke>\n</minimax:tool_call>'
        ),
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "invoke alone": ('<invoke name="get_weather"><parameter name="city">Paris</parameter></invoke>', [PLAIN]),
    "invoke in function_calls": (
        '<function_calls>\n<invoke name="get_weather">\n<parameter name="city">Paris</parameter>\n</invoke>\n</function_calls>',
        [PLAIN],
    ),
    "glm": (
        (
            "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n"
            "<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>"
        ),
        [WEATHER],
    ),
    "glm, without line ends": (
        "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Paris</arg_value></tool_call><tool_call>get_weather</tool_call>",
        [PLAIN, ("get_weather", {})],
    ),
    "hermes": ('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}\n</tool_call>', [WEATHER]),
    "hermes, two": (
        (
            '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n'
            '<tool_call>\n{"name": "Write", "arguments": {"file_path": "a", "content": "</tool_call>"}}\n</tool_call>'
        ),
        [PLAIN, ("Write", {"file_path": "a", "content": "</tool_call>"})],
    ),
    "hermes, last tag missing": ('<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}', [PLAIN]),
    "hermes, arguments as text": (
        '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}</tool_call>',
        [PLAIN],
    ),
    "qwen2.5-coder": ('<tools>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tools>', [PLAIN]),
    "qwen3-coder": (
        (
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n</parameter>\n"
            "</function>\n</tool_call>"
        ),
        [WEATHER],
    ),
    "qwen3-coder, first tag missing": (
        "<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
        [PLAIN],
    ),
    "qwen3-coder, a file that holds the tags": (
        (
            "<function=Write>\n<parameter=file_path>\nx.md\n</parameter>\n<parameter=content>\n"
            "Use </parameter> and </function>.\n\n</parameter>\n</function>"
        ),
        [("Write", {"file_path": "x.md", "content": "Use </parameter> and </function>.\n"})],
    ),
    "llama, function tag": ('<function=get_weather>{"city": "Paris"}</function>', [PLAIN]),
    "deepseek r1": (
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n"
            '```json\n{"city": "Paris"}\n```<｜tool▁call▁end｜>\n'
            '<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Rome"}\n```<｜tool▁call▁end｜>'
            "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
        ),
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "deepseek v3.1": (
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>"
            '{"city": "Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
        ),
        [PLAIN],
    ),
    "deepseek v3.2": (
        (
            '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n'
            '<｜DSML｜parameter name="city" string="true">Paris</｜DSML｜parameter>\n'
            '<｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>\n'
            "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
        ),
        [WEATHER],
    ),
    "kimi": (
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
            '{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|>'
        ),
        [PLAIN],
    ),
    "mistral": ('[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]', [WEATHER]),
    "mistral, newer": ('[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}', [PLAIN]),
    "mistral, with an id": ('[TOOL_CALLS]get_weather[CALL_ID]aB3dE6gH9[ARGS]{"city": "Paris"}', [PLAIN]),
    "mistral, without a mark": (
        '[TOOL_CALLS]get_weather{"city": "Paris"}[TOOL_CALLS]get_weather{"city": "Rome"}',
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "llama": ('<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}<|eom_id|>', [PLAIN]),
    "llama, two": (
        (
            '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}; '
            '{"name": "get_weather", "parameters": {"city": "Rome"}}'
        ),
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "granite": ('<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}]', [PLAIN]),
    "gpt-oss": (
        '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Paris"}<|call|>',
        [PLAIN],
    ),
    "gpt-oss, recipient first": (
        '<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city":"Paris"}',
        [PLAIN],
    ),
    "generic": ('<function_call> {"name": "get_weather", "arguments": {"city": "Paris"}} </function_call>', [PLAIN]),
    "generic, like OpenAI": (
        '<function_call>{"type":"function","function":{"name":"get_weather","arguments":{"city":"Paris"}}}</function_call>',
        [PLAIN],
    ),
    "bare": ('{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}\n', [WEATHER]),
    "bare, llama": ('{"type": "function", "name": "get_weather", "parameters": {"city": "Paris"}}', [PLAIN]),
    "bare, a list": (
        '[{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "get_weather", "arguments": {"city": "Rome"}}]',
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "bare, two": (
        '{"name": "get_weather", "arguments": {"city": "Paris"}}\n{"name": "get_weather", "arguments": {"city": "Rome"}}',
        [PLAIN, ("get_weather", {"city": "Rome"})],
    ),
    "line ends inside of a string": (
        '<tool_call>{"name": "Write", "arguments": {"file_path": "a", "content": "one\ntwo"}}</tool_call>',
        [("Write", {"file_path": "a", "content": "one\ntwo"})],
    ),
}

# Nothing here is a call: every character must come out as it went in.
WORDS: dict[str, str] = {
    "prose": "If a < b and c > d, then [see](https://example.org) {this} — or not.\n\nA list:\n- one [x]\n- two <br>\n",
    "html": '<div class="x">\n  <p>Hi</p>\n</div>\n<tool>hammer</tool>\n',
    "python": 'def f(x: dict[str, int]) -> None:\n    print({"name": x})\n',
    "json answer": '{"name": "Bob", "arguments": {"city": "Paris"}}',
    "json with other keys": '{"city": "Paris", "name": "get_weather"}',
    "json without arguments": '{"name": "get_weather"}',
    "json in a line of prose": 'It looks like {"name": "get_weather", "arguments": {}} in the log.',
    "an example and words after it": 'Like this:\n{"name": "get_weather", "arguments": {}}\nThat is all.',
    "fence": 'Print this:\n```\n<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>\n```\n',
    "fence with a language": '```json\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n```',
    "fence in a fence": '````md\n```\n````js\n[TOOL_CALLS]get_weather{"city":"x"}\n````\n',
    "fence of tildes": "~~~xml\n<function=get_weather>\n</function>\n~~~\n",
    "fence that never ends": '```\n<tool_call>{"name": "get_weather", "arguments": {}}</tool_call>',
    "inline code": 'Write `<tool_call>{"name": "get_weather", "arguments": {}}</tool_call>` yourself.',
    "inline code of two": 'Or ``[TOOL_CALLS]get_weather{"a": 1}`` here.',
    "the tag as a word": "The <tool_call> tag holds a call, and <function_call> too.",
    "an unknown tool": '<tool_call>\n{"name": "launch_rocket", "arguments": {}}\n</tool_call>',
    "an unknown tool, glm": "<tool_call>launch\n<arg_key>a</arg_key>\n<arg_value>b</arg_value>\n</tool_call>",
    "half of hermes": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Pa',
    "half of qwen3-coder": "<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n",
    "half of glm": "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Par",
    "half of deepseek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{",
    "half of an opening": "So <tool_ca",
    "half of a bare one": '{"name": "get_weather", "arguments": {"city": "Paris"}',
    "arguments that are no object": '<tool_call>{"name": "get_weather", "arguments": [1]}</tool_call>',
    "python's words": "<tool_call>{'name': 'get_weather', 'arguments': {}}</tool_call>",
    "gpt-oss, another channel": "<|channel|>final<|message|>Hello.",
    "nothing but white space": "\n \n",
}
