// SDKs in TypeScript as a user's small program would use them: `node NAME.mjs NAME`, then one task a line on stdin.
// The packages are found through the folder that holds a copy of this file: see tests/matrix/sdks.py.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const MODELS = { anthropic: "claude-sonnet-4-5", openai: "gpt-4o" };
const MOST_TURNS = 8;
const ABOUT = "Reads a file.";
const PARAMETERS = {
  type: "object",
  properties: { path: { type: "string", description: "Where the file is." } },
  required: ["path"],
  additionalProperties: false,
};
const PLACE = {
  type: "object",
  properties: { name: { type: "string" }, depth: { type: "integer" } },
  required: ["name", "depth"],
  additionalProperties: false,
};

const base64Of = (path) => readFileSync(path).toString("base64");
const urlOf = (path) => `data:image/png;base64,${base64Of(path)}`;
const isPicture = (path) => path.endsWith(".png");
const pathOf = (call) => JSON.parse(call).path;

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to stdout
console.log = console.info = console.error;

class Heard {
  text = "";
  pieces = 0;
  cached_tokens = null;
  place = null;
  add(text) {
    if (text) {
      this.text += text;
      this.pieces += 1;
    }
  }
  beginTurn() {
    this.text = "";
    this.pieces = 0;
  }
}

// What the SDK added to an answer, the vendor does not take back.
function unparsed({ parsed_arguments: _, content, ...item }) {
  return content ? { ...item, content: content.map(({ parsed: _, ...part }) => part) } : item;
}

async function anthropicSdk(task, heard) {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic({ apiKey: task.key, baseURL: task.url, timeout: 60000 });
  const source = () => ({ type: "base64", media_type: "image/png", data: base64Of(task.picture) });
  const content = task.picture ? [{ type: "text", text: task.prompt }, { type: "image", source: source() }] : task.prompt;
  const asked = { model: MODELS.anthropic, max_tokens: 8000, messages: [{ role: "user", content }] };
  if (task.reads_files) asked.tools = [{ name: "read_file", description: ABOUT, input_schema: PARAMETERS }];
  if (task.thinks) asked.thinking = { type: "enabled", budget_tokens: 2048 };
  if (task.wants_place) asked.output_config = { format: { type: "json_schema", schema: PLACE } };
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    heard.beginTurn();
    let message;
    if (task.is_streamed) {
      const stream = client.messages.stream(asked);
      stream.on("text", (text) => heard.add(text));
      message = await stream.finalMessage();
    } else {
      message = await client.messages.create(asked);
      message.content.filter((block) => block.type === "text").forEach((block) => heard.add(block.text));
    }
    heard.cached_tokens = message.usage.cache_read_input_tokens;
    const calls = message.content.filter((block) => block.type === "tool_use");
    if (calls.length === 0) break;
    const results = calls.map((call) => {
      const path = call.input.path;
      const picture = () => [{ type: "image", source: { type: "base64", media_type: "image/png", data: base64Of(path) } }];
      return { type: "tool_result", tool_use_id: call.id, content: isPicture(path) ? picture() : readFileSync(path, "utf8") };
    });
    asked.messages.push({ role: "assistant", content: message.content }, { role: "user", content: results });
  }
  if (task.wants_place) heard.place = JSON.parse(heard.text);
}

async function openaiChat(task, heard) {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ apiKey: task.key, baseURL: `${task.url}/v1`, timeout: 60000 });
  const content = task.picture
    ? [{ type: "text", text: task.prompt }, { type: "image_url", image_url: { url: urlOf(task.picture) } }]
    : task.prompt;
  const asked = { model: MODELS.openai, messages: [{ role: "user", content }] };
  const readFile = { name: "read_file", description: ABOUT, parameters: PARAMETERS, strict: true };
  if (task.reads_files) asked.tools = [{ type: "function", function: readFile }];
  if (task.thinks) asked.reasoning_effort = "low";
  if (task.wants_place) {
    asked.response_format = { type: "json_schema", json_schema: { name: "place", schema: PLACE, strict: true } };
  }
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    heard.beginTurn();
    let answer;
    if (task.is_streamed) {
      const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
      stream.on("content.delta", (event) => heard.add(event.delta));
      answer = await stream.finalChatCompletion();
    } else {
      answer = await client.chat.completions.create(asked);
      heard.add(answer.choices[0].message.content);
    }
    heard.cached_tokens = answer.usage?.prompt_tokens_details?.cached_tokens ?? null;
    const { content: said, tool_calls: calls } = answer.choices[0].message;
    if (!calls?.length) break;
    const echoed = calls.map(({ id, function: { name, arguments: text } }) => ({ id, type: "function", function: { name, arguments: text } }));
    asked.messages.push({ role: "assistant", content: said, tool_calls: echoed });
    for (const call of calls) {
      const text = readFileSync(pathOf(call.function.arguments), "utf8");
      asked.messages.push({ role: "tool", tool_call_id: call.id, content: text });
    }
  }
  if (task.wants_place) heard.place = JSON.parse(heard.text);
}

async function openaiResponses(task, heard) {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ apiKey: task.key, baseURL: `${task.url}/v1`, timeout: 60000 });
  const content = [{ type: "input_text", text: task.prompt }];
  if (task.picture) content.push({ type: "input_image", image_url: urlOf(task.picture), detail: "auto" });
  const asked = { model: MODELS.openai, store: false, input: [{ role: "user", content }] };
  if (task.reads_files) {
    asked.tools = [{ type: "function", name: "read_file", description: ABOUT, parameters: PARAMETERS, strict: true }];
  }
  if (task.thinks) {
    asked.reasoning = { effort: "low", summary: "auto" };
    asked.include = ["reasoning.encrypted_content"];
  }
  if (task.wants_place) asked.text = { format: { type: "json_schema", name: "place", schema: PLACE, strict: true } };
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    heard.beginTurn();
    let answer;
    if (task.is_streamed) {
      const stream = client.responses.stream(asked);
      stream.on("response.output_text.delta", (event) => heard.add(event.delta));
      answer = await stream.finalResponse();
    } else {
      answer = await client.responses.create(asked);
      heard.add(answer.output_text);
    }
    if (answer.error) throw new Error(answer.error.message);
    heard.cached_tokens = answer.usage?.input_tokens_details?.cached_tokens ?? null;
    const calls = answer.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) break;
    asked.input.push(...answer.output.map(unparsed));
    for (const call of calls) {
      const path = pathOf(call.arguments);
      const picture = () => [{ type: "input_image", image_url: urlOf(path), detail: "auto" }];
      const output = isPicture(path) ? picture() : readFileSync(path, "utf8");
      asked.input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
  if (task.wants_place) heard.place = JSON.parse(heard.text);
}

async function aiSdk(model, thinking, task, heard) {
  const { generateText, streamText, generateObject, jsonSchema, stepCountIs, tool } = await import("ai");
  const part = task.picture ? [{ type: "image", image: readFileSync(task.picture), mediaType: "image/png" }] : [];
  const messages = [{ role: "user", content: [{ type: "text", text: task.prompt }, ...part] }];
  if (task.wants_place) {
    heard.place = (await generateObject({ model, messages, schema: jsonSchema(PLACE) })).object;
    return;
  }
  const readFile = tool({
    description: ABOUT,
    inputSchema: jsonSchema(PARAMETERS),
    execute: ({ path }) => (isPicture(path) ? { picture: base64Of(path) } : { text: readFileSync(path, "utf8") }),
    toModelOutput: ({ output }) =>
      output.picture
        ? { type: "content", value: [{ type: "image-data", data: output.picture, mediaType: "image/png" }] }
        : { type: "text", value: output.text },
  });
  const asked = { model, messages, stopWhen: stepCountIs(MOST_TURNS), ...(task.reads_files && { tools: { read_file: readFile } }) };
  if (task.thinks) asked.providerOptions = thinking;
  if (!task.is_streamed) {
    const answer = await generateText(asked);
    heard.add(answer.text);
    return;
  }
  const stream = streamText({ ...asked, onError: () => {} });
  for await (const piece of stream.fullStream) {
    if (piece.type === "start-step") heard.beginTurn();
    if (piece.type === "text-delta") heard.add(piece.text);
    if (piece.type === "error") throw piece.error;
  }
  heard.cached_tokens = (await stream.usage).inputTokenDetails?.cacheReadTokens ?? (await stream.usage).cachedInputTokens ?? null;
}

async function aiAnthropic(task, heard) {
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  const provider = createAnthropic({ apiKey: task.key, baseURL: `${task.url}/v1` });
  const thinking = { anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } } };
  await aiSdk(provider(MODELS.anthropic), thinking, task, heard);
}

async function aiChat(task, heard) {
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const settings = { name: "proxy", apiKey: task.key, baseURL: `${task.url}/v1`, includeUsage: true, supportsStructuredOutputs: true };
  await aiSdk(createOpenAICompatible(settings)(MODELS.openai), { proxy: { reasoningEffort: "low" } }, task, heard);
}

async function aiResponses(task, heard) {
  const { createOpenAI } = await import("@ai-sdk/openai");
  const provider = createOpenAI({ apiKey: task.key, baseURL: `${task.url}/v1` });
  const thinking = { openai: { reasoningEffort: "low", store: false, include: ["reasoning.encrypted_content"] } };
  await aiSdk(provider.responses(MODELS.openai), thinking, task, heard);
}

const DRIVERS = {
  "anthropic-ts": anthropicSdk,
  "openai-ts-chat": openaiChat,
  "openai-ts-responses": openaiResponses,
  "ai-sdk-anthropic": aiAnthropic,
  "ai-sdk-chat": aiChat,
  "ai-sdk-responses": aiResponses,
};

const driver = DRIVERS[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
  const heard = new Heard();
  let error = "";
  try {
    await driver(JSON.parse(line), heard);
  } catch (caught) {
    error = `${caught?.name ?? "Error"}: ${caught?.message ?? caught}`;
  }
  process.stdout.write(`${JSON.stringify({ ...heard, error })}\n`);
}
