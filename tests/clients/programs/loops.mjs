// What the programs in JavaScript share; loops.py says what they are given and what they write.
import {appendFileSync} from "node:fs";

export const URL = process.env.CLIENTS_URL;
export const QUESTION = "What is the weather in 서울 and in Paris?";
export const CITY = {type: "object", properties: {city: {type: "string"}}, required: ["city"]};
export const TURNS = 4;

export const weather = ({city}) => `${city}=${process.env.CLIENTS_SECRET}`;

const write = (line) => appendFileSync(process.env.CLIENTS_RESULTS, `${JSON.stringify(line)}\n`);

export async function play(ways) {
  const wanted = ["서울", "Paris"].map((city) => weather({city}));
  write(Object.keys(ways));
  for (const [way, loop] of Object.entries(ways)) {
    for (const model of process.env.CLIENTS_MODELS.split(",")) {
      const line = {way, model, wanted};
      try {
        line.answer = await loop(model);
      } catch (error) {
        console.error(error);
        line.error = String(error).slice(0, 500);
      }
      write(line);
    }
  }
}
