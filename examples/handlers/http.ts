// One request a connection, answered in plain text: as much of HTTP/1.1 as a webhook or a health probe needs.
import type { Handler } from 'portreeve';

const longestHead = 16 * 1024;

const http: Handler = async (connection) => {
  let head = '';
  for await (const bytes of connection) {
    head += bytes.toString('latin1');
    if (head.includes('\r\n\r\n')) break;
    if (head.length > longestHead) return answer(431, 'a head that is too long');
  }
  const [method, target] = head.split(' ', 2);
  if (method !== 'GET') return answer(405, 'only GET is served');
  return answer(200, `hello ${connection.client}, you asked for ${target}`);
};

const reasons: Record<number, string> = {
  200: 'OK',
  405: 'Method Not Allowed',
  431: 'Request Header Fields Too Large',
};

function answer(status: number, text: string): string {
  const body = `${text}\n`;
  return [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

export default http;
