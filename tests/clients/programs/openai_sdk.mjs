// The OpenAI SDK for JavaScript: chat completions and responses, whole, streamed and with its helpers.
import OpenAI from "openai";
import {CITY, QUESTION, TURNS, URL, play, weather} from "./loops.mjs";

const client = new OpenAI({baseURL: `${URL}/v1`, apiKey: "none", maxRetries: 0, timeout: 20000});
const tools = [{type: "function", function: {name: "get_weather", description: "The weather.", parameters: CITY}}];
const items = [{type: "function", name: "get_weather", description: "The weather.", parameters: CITY, strict: false}];

const chat = (ask) => async (model) => {
  const messages = [{role: "user", content: QUESTION}];
  for (let turn = 0; turn < TURNS; turn++) {
    const message = await ask({model, messages, tools});
    if (!message.tool_calls?.length) return message.content;
    messages.push(message);
    for (const call of message.tool_calls) {
      const content = weather(JSON.parse(call.function.arguments));
      messages.push({role: "tool", tool_call_id: call.id, content});
    }
  }
  throw new Error("the loop does not end");
};

const create = async (request) => (await client.chat.completions.create(request)).choices[0].message;
const helper = async (request) => {
  const completion = await client.chat.completions.stream(request).finalChatCompletion();
  return completion.choices[0].message;
};
const runTools = (stream) => async (model) => {
  const runnable = {...tools[0].function, parse: JSON.parse, function: weather};
  const messages = [{role: "user", content: QUESTION}];
  return client.chat.completions
    .runTools({model, stream, messages, tools: [{type: "function", function: runnable}]})
    .finalContent();
};

const responses = (ask) => async (model) => {
  const input = [{role: "user", content: QUESTION}];
  for (let turn = 0; turn < TURNS; turn++) {
    const response = await ask({model, input, tools: items, store: false});
    const calls = response.output.filter((item) => item.type === "function_call");
    if (!calls.length) return response.output_text;
    input.push(...response.output);
    for (const call of calls) {
      const output = weather(JSON.parse(call.arguments));
      input.push({type: "function_call_output", call_id: call.call_id, output});
    }
  }
  throw new Error("the loop does not end");
};

await play({
  "chat create": chat(create),
  "chat stream helper": chat(helper),
  "chat runTools": runTools(false),
  "chat runTools streamed": runTools(true),
  "responses create": responses((request) => client.responses.create(request)),
  "responses stream helper": responses((request) => client.responses.stream(request).finalResponse()),
});
