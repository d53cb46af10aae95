// Each connection gets back what it sends, as it sends it.
import type { Handler } from 'portreeve';

const echo: Handler = async function* (connection) {
  for await (const bytes of connection) yield bytes;
};

export default echo;
