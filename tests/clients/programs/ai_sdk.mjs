// The AI SDK: its provider for compatible servers, and that of OpenAI with chat completions and with responses.
import {createOpenAI} from "@ai-sdk/openai";
import {createOpenAICompatible} from "@ai-sdk/openai-compatible";
import {generateText, stepCountIs, streamText, tool} from "ai";
import {z} from "zod";
import {QUESTION, TURNS, URL, play, weather} from "./loops.mjs";

const settings = {baseURL: `${URL}/v1`, apiKey: "none"};
const compatible = createOpenAICompatible({name: "dragoman", ...settings});
const openai = createOpenAI(settings);
const get_weather = tool({
  description: "The weather.",
  inputSchema: z.object({city: z.string()}),
  execute: async (given) => weather(given),
});

const options = (model, store = false) => ({
  model,
  prompt: QUESTION,
  maxRetries: 0,
  stopWhen: stepCountIs(TURNS),
  tools: {get_weather},
  // What was said before is sent again, or named where responses are stored.
  providerOptions: {openai: {store}},
});

const whole = (choose) => async (model) => (await generateText(options(choose(model)))).text;
const stored = (choose) => async (model) => (await generateText(options(choose(model), true))).text;
const streamed = (choose) => async (model) => {
  let failed;
  const result = streamText({...options(choose(model)), onError: ({error}) => { failed = error; }});
  const text = await result.text;
  if (failed) throw failed;
  return text;
};

await play({
  "compatible generateText": whole((model) => compatible(model)),
  "compatible streamText": streamed((model) => compatible(model)),
  "chat generateText": whole((model) => openai.chat(model)),
  "chat streamText": streamed((model) => openai.chat(model)),
  "responses generateText": whole((model) => openai.responses(model)),
  "responses streamText": streamed((model) => openai.responses(model)),
  "responses stored": stored((model) => openai.responses(model)),
});
